//! EPUB: the chapters of a book in the order in which they are read.
//!
//! The archive says where its package document is (EPUB OCF 3.3, 3.5); that one lists the
//! chapters, which are pages of HTML. Names lead to parts of the archive, never to files.

use std::collections::HashMap;

use super::xml::{Part, Tag, walk};
use super::{Confidence, Format, certain_if, html};
use crate::ExtractError;
use crate::archive::Archive;
use crate::decode::decode;
use crate::draft::Draft;
use crate::source::Source;

/// EPUB 2 and 3.
pub(super) const FORMAT: Format = Format {
    name: "epub",
    media_type: "application/epub+zip",
    extensions: &["epub"],
    is_text: false,
    is_markdown: false,
    recognise,
    read,
};

const NAME: &str = "EPUB";
const CONTAINER: &str = "META-INF/container.xml";

fn recognise(source: &Source) -> Confidence {
    certain_if(
        source
            .archive()
            .is_some_and(|archive| archive.has(CONTAINER)),
    )
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let bytes = source.bytes();
    Archive::check(bytes, NAME)?;
    let package_path = package_path(&Archive::part(bytes, CONTAINER, NAME)?)?;
    let package = Package::read(&Archive::part(bytes, &package_path, NAME)?)?;
    for chapter in package.chapters() {
        let path = join(&package_path, chapter);
        // A book with a chapter missing is still worth reading.
        let Ok(chapter) = Archive::part(bytes, &path, NAME) else {
            continue;
        };
        draft.open_block()?;
        html::write(&decode(&chapter).unwrap_or_default(), draft)?;
    }
    if let Some(title) = &package.title {
        draft.set_title(title);
    }
    Ok(())
}

/// Where the container says that the package document is.
fn package_path(container: &[u8]) -> Result<String, ExtractError> {
    let mut path = None;
    walk(container, NAME, |part| {
        if let Part::Start(tag) = part
            && tag.name() == "rootfile"
            && path.is_none()
        {
            path = tag.attribute("full-path");
        }
        Ok(())
    })?;
    path.ok_or_else(|| ExtractError::malformed(NAME, "it does not say where its book is"))
}

/// What the package document says.
#[derive(Default)]
struct Package {
    title: Option<String>,
    /// Where the parts are, by id.
    hrefs: HashMap<String, String>,
    /// The ids of the chapters, in order.
    spine: Vec<String>,
}

impl Package {
    fn read(package: &[u8]) -> Result<Self, ExtractError> {
        let mut read = Self::default();
        let mut in_title = false;
        walk(package, NAME, |part| {
            match part {
                Part::Start(tag) => {
                    in_title = tag.name() == "title" && read.title.is_none();
                    if tag.name() == "item"
                        && !is_navigation(&tag)
                        && let (Some(id), Some(href)) = (tag.attribute("id"), tag.attribute("href"))
                    {
                        read.hrefs.insert(id, href);
                    }
                    if tag.name() == "itemref" {
                        read.spine.extend(tag.attribute("idref"));
                    }
                }
                Part::End(_) => in_title = false,
                Part::Text(text) if in_title => {
                    read.title.get_or_insert_default().push_str(text);
                }
                Part::Text(_) => {}
            }
            Ok(())
        })?;
        Ok(read)
    }

    fn chapters(&self) -> impl Iterator<Item = &str> {
        let hrefs = self.spine.iter().filter_map(|id| self.hrefs.get(id));
        hrefs.map(String::as_str)
    }
}

/// The table of contents that reading systems show beside the book repeats its headings.
fn is_navigation(item: &Tag<'_>) -> bool {
    let properties = item.attribute("properties").unwrap_or_default();
    properties
        .split_whitespace()
        .any(|property| property == "nav")
}

/// The name of the part to which a reference in the part `base` leads.
fn join(base: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut path: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in href.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    percent_decoded(&path.join("/"))
}

/// `%20` and the like resolved; what is not UTF-8 then stays as it is.
fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.first_chunk::<2>().filter(|_| byte == b'%');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}
