//! What each element of HTML means for the text.

/// The part an element plays in the text of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Part of the line around it.
    Inline,
    /// Left out with all it holds.
    Skipped,
    /// The title of the page.
    Title,
    /// `h1` to `h6`, with its level.
    Heading(u8),
    /// Set off by blank lines.
    Paragraph,
    /// On a line of its own.
    Line,
    /// A line break.
    Break,
    /// A list, and one item of it.
    List,
    /// An item of a list.
    Item,
    /// A table.
    Table,
    /// A row of a table.
    Row,
    /// A cell of a row.
    Cell,
    /// White space counts.
    Preformatted,
    /// What the page is about.
    Content,
    /// Links to elsewhere.
    Navigation,
    /// What stands beside the content.
    Chrome,
}

impl Element {
    /// The part that the element of this (lower-case) name plays.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"script" | b"style" | b"noscript" | b"template" | b"svg" | b"iframe" | b"object"
            | b"canvas" | b"audio" | b"video" | b"select" | b"textarea" | b"datalist" => {
                Self::Skipped
            }
            b"title" => Self::Title,
            b"h1" => Self::Heading(1),
            b"h2" => Self::Heading(2),
            b"h3" => Self::Heading(3),
            b"h4" => Self::Heading(4),
            b"h5" => Self::Heading(5),
            b"h6" => Self::Heading(6),
            b"p" | b"blockquote" | b"section" | b"header" | b"figure" | b"form" | b"fieldset"
            | b"details" | b"dl" | b"hr" | b"body" | b"center" | b"address" => Self::Paragraph,
            b"div" | b"dt" | b"dd" | b"figcaption" | b"caption" | b"summary" | b"legend"
            | b"hgroup" | b"thead" | b"tbody" | b"tfoot" => Self::Line,
            b"br" => Self::Break,
            b"ul" | b"ol" | b"menu" => Self::List,
            b"li" => Self::Item,
            b"table" => Self::Table,
            b"tr" => Self::Row,
            b"td" | b"th" => Self::Cell,
            b"pre" | b"listing" | b"xmp" | b"plaintext" => Self::Preformatted,
            b"main" | b"article" => Self::Content,
            b"nav" => Self::Navigation,
            b"footer" | b"aside" => Self::Chrome,
            _ => Self::Inline,
        }
    }
}

/// Whether an element's end can be told from its end tag alone. The end tags of the others may
/// be left out, or do not exist, and pages hide all of `html` or `body` until a script has run.
pub(super) fn has_end_tag(name: &[u8]) -> bool {
    !matches!(
        name,
        b"html"
            | b"head"
            | b"body"
            | b"p"
            | b"li"
            | b"dt"
            | b"dd"
            | b"tr"
            | b"td"
            | b"th"
            | b"thead"
            | b"tbody"
            | b"tfoot"
            | b"colgroup"
            | b"caption"
            | b"option"
            | b"optgroup"
            | b"rt"
            | b"rp"
            | b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"source"
            | b"track"
            | b"wbr"
    )
}
