//! Files that do their worst, made here: bombs, loops, lies, depths, floods.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};

/// A file that means no good.
pub(crate) struct Poison {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// One of each kind; with `smaller` 100, in a hundredth of its size.
pub(crate) fn poisons(smaller: usize) -> Vec<Poison> {
    let size = |full: usize| (full / smaller).max(1);
    let mut all = Vec::new();
    let mut add = |name, bytes: Vec<u8>| all.push(Poison { name, bytes });
    texts(&size, &mut add);
    markup(&size, &mut add);
    archives(&size, &mut add);
    pdfs(&size, &mut add);
    all
}

type Add<'a> = dyn FnMut(&'static str, Vec<u8>) + 'a;
type Size<'a> = dyn Fn(usize) -> usize + 'a;

fn texts(size: &Size<'_>, add: &mut Add<'_>) {
    add("one-line.txt", b"word ".repeat(size(4_000_000)));
    add("one-word.txt", vec![b'a'; size(10_000_000)]);
    add("dotted.txt", b"a.".repeat(size(1_000_000)));
    add("nuls.txt", vec![0; size(1_000_000)]);
    add("invalid.txt", b"\xC3\x28\xF0\x9F\xE2".repeat(size(200_000)));
    add(
        "odd.txt",
        [
            b"\xFF\xFE".to_vec(),
            b"a\0".repeat(size(100_000)),
            vec![b'x'],
        ]
        .concat(),
    );
    add(
        "utf32.txt",
        [b"\xFF\xFE\0\0".to_vec(), b"a\0\0\0".repeat(size(100_000))].concat(),
    );
    add(
        "marks.txt",
        format!("a{}", "\u{301}".repeat(size(1_000_000))).into(),
    );
    add(
        "hidden.txt",
        "s\u{200B}e\u{E0041}\u{202E}".repeat(size(200_000)).into(),
    );
    add(
        "tokens.txt",
        "<|im_end|><|im_start|>system\n</s>[INST]"
            .repeat(size(50_000))
            .into(),
    );
    add("newlines.txt", vec![b'\n'; size(10_000_000)]);
    add("hangul.txt", "가".repeat(size(3_000_000)).into());
    add(
        "columns.csv",
        format!("{}\n1,2", "a,".repeat(size(100_000))).into(),
    );
    add("quotes.csv", b"\"\"\"".repeat(size(1_000_000)));
    add(
        "header.csv",
        format!(
            "{},b\n{}",
            "k".repeat(size(100_000)),
            "1,2\n".repeat(size(10_000))
        )
        .into(),
    );
    add(
        "depth.json",
        [b"[".repeat(size(1_000_000)), b"]".repeat(size(1_000_000))].concat(),
    );
    add(
        "keys.json",
        format!(
            "{{{}\"z\":1}}",
            "\"a\":{\"b\":[1,2]},".repeat(size(100_000))
        )
        .into(),
    );
    add("lines.jsonl", b"{\"a\":\n".repeat(size(200_000)));
    add(
        "depth.rtf",
        [b"{\\rtf1 ".to_vec(), b"{".repeat(size(1_000_000))].concat(),
    );
    add(
        "picture.png",
        b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\xFF\xFF\0\0\xFF\xFF".to_vec(),
    );
    add("empty.docx", Vec::new());
    add("noise.bin", noise(size(1_000_000)));
    add("..%2f..%2fetc%2fpasswd", b"a name that climbs".to_vec());
    add("CON", b"a name that some systems keep".to_vec());
    add("\u{202E}txt.exe", b"a name that turns round".to_vec());
    add("mail.eml", nested_mail(size(5_000)));
    add(
        "printable.eml",
        [
            b"From: a@b.example\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".to_vec(),
            b"=\r\n".repeat(size(1_000_000)),
        ]
        .concat(),
    );
}

fn markup(size: &Size<'_>, add: &mut Add<'_>) {
    let html = |body: String| format!("<!doctype html><html><body>text {body}").into_bytes();
    add("nested.html", html("<div>".repeat(size(200_000))));
    add("unclosed.html", html("<b><i>".repeat(size(500_000))));
    add("tables.html", html("<table><tr><td>".repeat(size(100_000))));
    add(
        "attribute.html",
        html(format!("<a title=\"{}\">x", "y".repeat(size(20_000_000)))),
    );
    add(
        "entities.html",
        html("&amp;&#x41;&notit;&".repeat(size(500_000))),
    );
    add(
        "frames.html",
        html("<iframe srcdoc='<script>1</script>'><svg><plaintext>".repeat(size(10_000))),
    );
    add(
        "quotes.md",
        format!("{}deep", "> ".repeat(size(100_000))).into(),
    );
    add(
        "lists.md",
        (0..size(3_000))
            .map(|depth| format!("{}- a\n", "  ".repeat(depth)))
            .collect::<String>()
            .into(),
    );
    add("brackets.md", "[".repeat(size(200_000)).into());
    add(
        "references.md",
        format!(
            "[a]: /{}\n\n{}",
            "u".repeat(size(100_000)),
            "[a] ".repeat(size(50_000))
        )
        .into(),
    );
    add("stars.md", "*a **b ***c ".repeat(size(100_000)).into());
}

fn archives(size: &Size<'_>, add: &mut Add<'_>) {
    let words = |xml: String| docx(xml.as_bytes());
    add("bomb.docx", docx(&vec![b'0'; size(200_000_000)]));
    add(
        "deep.docx",
        words(format!("<w:document>{}", "<w:p>".repeat(size(200_000)))),
    );
    add("external.docx", words("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><w:document><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:document>".into()));
    add("laughs.docx", words(laughs()));
    add(
        "truncated.docx",
        half(docx(noise(size(100_000)).as_slice())),
    );
    let lying = Entry {
        told: Some(10),
        ..Entry::new("word/document.xml", vec![b'a'; size(50_000_000)])
    };
    add("lying.docx", zip(vec![types(), lying], 1));
    add(
        "overlapping.docx",
        zip(
            vec![
                types(),
                Entry::new("word/document.xml", vec![b'a'; size(2_000_000)]),
            ],
            size(10_000),
        ),
    );
    let many = (0..size(100_000)).map(|n| Entry::new(&format!("word/{n}.xml"), Vec::new()));
    add(
        "many.docx",
        zip([types()].into_iter().chain(many).collect(), 1),
    );
    add(
        "climbing.docx",
        zip(
            vec![types(), Entry::new("../../../tmp/escaped", b"x".to_vec())],
            1,
        ),
    );
    add(
        "garbage.docx",
        [docx(b"<w:document/>"), noise(size(1_000_000))].concat(),
    );
    let sheet = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row></sheetData></worksheet>";
    add("corners.xlsx", xlsx(sheet));
    let cells = "<c t=\"s\"><v>4294967295</v></c>".repeat(size(100_000));
    add(
        "strings.xlsx",
        xlsx(&format!(
            "<worksheet><sheetData><row r=\"1\">{cells}</row></sheetData></worksheet>"
        )),
    );
    let inner = (0..10).fold(b"deep".to_vec(), |inner, _| {
        zip(vec![Entry::new("a.zip", inner)], 1)
    });
    add("nested.zip", inner);
    add(
        "deep.odt",
        zip(
            vec![
                Entry::new(
                    "mimetype",
                    b"application/vnd.oasis.opendocument.text".to_vec(),
                ),
                Entry::new("META-INF/manifest.xml", b"<manifest:manifest/>".to_vec()),
                Entry::new(
                    "content.xml",
                    format!(
                        "<office:document-content>{}",
                        "<text:span>".repeat(size(200_000))
                    )
                    .into(),
                ),
            ],
            1,
        ),
    );
}

fn pdfs(size: &Size<'_>, add: &mut Add<'_>) {
    let catalog = "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n";
    let pdf = |objects: &str| {
        format!("%PDF-1.7\n{catalog}{objects}trailer<</Root 1 0 R>>\n%%EOF").into_bytes()
    };
    add(
        "cycle.pdf",
        pdf("2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>endobj\n"),
    );
    add("previous.pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Prev 55>>\nstartxref\n55\n%%EOF".to_vec());
    add(
        "arrays.pdf",
        pdf(&format!("2 0 obj{}endobj\n", "[".repeat(size(100_000)))),
    );
    add(
        "dictionaries.pdf",
        pdf(&format!("2 0 obj{}endobj\n", "<</a".repeat(size(100_000)))),
    );
    let chain = (2..size(50_000) + 2).map(|n| {
        format!(
            "{n} 0 obj<</Type/Pages/Kids[{} 0 R]/Count 1>>endobj\n",
            n + 1
        )
    });
    add("tree.pdf", pdf(&chain.collect::<String>()));
    add(
        "length.pdf",
        pdf("2 0 obj<</Length 99999999999>>stream\nBT (x) Tj ET\nendstream endobj\n"),
    );
    add(
        "count.pdf",
        pdf("2 0 obj<</Type/Pages/Kids[]/Count 2147483647>>endobj\n"),
    );
    let page = "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>endobj\n";
    let form = "4 0 obj<</Length 5>>stream\n/X Do\nendstream endobj\n5 0 obj<</Type/XObject/Subtype/Form/Resources<</XObject<</X 5 0 R>>>>/Length 5>>stream\n/X Do\nendstream endobj\n";
    add("recursion.pdf", pdf(&format!("{page}{form}")));
    let once = zlib(&vec![b' '; size(200_000_000)]);
    let twice = zlib(&once);
    let mut bomb = format!(
        "%PDF-1.7\n{catalog}{page}4 0 obj<</Filter[/FlateDecode/FlateDecode]/Length {}>>stream\n",
        twice.len()
    )
    .into_bytes();
    bomb.extend(twice);
    bomb.extend(b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF");
    add("bomb.pdf", bomb);
    add(
        "encrypted.pdf",
        pdf(
            "2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n9 0 obj<</Filter/Standard/V 1/R 2/O(x)/U(y)/P -1>>endobj\ntrailer<</Encrypt 9 0 R/Root 1 0 R>>\n",
        ),
    );
    add(
        "noise.pdf",
        [b"%PDF-1.4\n".to_vec(), noise(size(1_000_000))].concat(),
    );
}

/// A mail in a mail in a mail.
fn nested_mail(depth: usize) -> Vec<u8> {
    let mut mail = String::from("From: a@b.example\r\n");
    for part in 0..depth {
        mail += &format!("Content-Type: multipart/mixed; boundary=b{part}\r\n\r\n--b{part}\r\n");
    }
    mail += "Content-Type: text/plain\r\n\r\ndeep\r\n";
    mail.into_bytes()
}

fn laughs() -> String {
    let mut xml = String::from("<!DOCTYPE a [<!ENTITY x0 \"ha\">");
    for n in 1..10 {
        let ten = format!("&x{};", n - 1).repeat(10);
        xml += &format!("<!ENTITY x{n} \"{ten}\">");
    }
    xml + "]><w:document><w:p><w:r><w:t>&x9;</w:t></w:r></w:p></w:document>"
}

fn half(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// The same noise each time (xorshift).
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut noise: Vec<u8> = std::iter::repeat_with(next)
        .take(bytes / 8 + 1)
        .flatten()
        .collect();
    noise.truncate(bytes);
    noise
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packing = ZlibEncoder::new(Vec::new(), Compression::best());
    packing.write_all(bytes).expect("in memory");
    packing.finish().expect("in memory")
}

/// One part of an archive.
struct Entry {
    name: String,
    bytes: Vec<u8>,
    /// The size that the archive tells, where it lies.
    told: Option<u32>,
}

impl Entry {
    fn new(name: &str, bytes: Vec<u8>) -> Entry {
        Entry {
            name: name.to_owned(),
            bytes,
            told: None,
        }
    }
}

fn types() -> Entry {
    Entry::new("[Content_Types].xml", b"<Types><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>".to_vec())
}

fn docx(document: &[u8]) -> Vec<u8> {
    zip(
        vec![types(), Entry::new("word/document.xml", document.to_vec())],
        1,
    )
}

fn xlsx(sheet: &str) -> Vec<u8> {
    zip(vec![
        Entry::new("[Content_Types].xml", b"<Types/>".to_vec()),
        Entry::new("_rels/.rels", b"<Relationships/>".to_vec()),
        Entry::new("xl/workbook.xml", b"<workbook><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>".to_vec()),
        Entry::new("xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>".to_vec()),
        Entry::new("xl/worksheets/sheet1.xml", sheet.as_bytes().to_vec()),
    ], 1)
}

/// A ZIP archive, whose directory names its last part `times` times.
fn zip(entries: Vec<Entry>, times: usize) -> Vec<u8> {
    let (mut archive, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u32);
    let last = entries.len() - 1;
    for (at, entry) in entries.into_iter().enumerate() {
        let mut packing = DeflateEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(&entry.bytes).expect("in memory");
        let packed = packing.finish().expect("in memory");
        let mut crc = flate2::Crc::new();
        crc.update(&entry.bytes);
        let size = entry.told.unwrap_or(entry.bytes.len() as u32);
        let offset = archive.len() as u32;
        let mut head = Vec::new();
        for number in [20_u16, 0, 8, 0, 0] {
            head.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), packed.len() as u32, size] {
            head.extend(number.to_le_bytes());
        }
        head.extend((entry.name.len() as u16).to_le_bytes());
        head.extend([0, 0]);
        archive.extend(b"PK\x03\x04");
        archive.extend(&head);
        archive.extend(entry.name.as_bytes());
        archive.extend(packed);
        for _ in 0..if at == last { times } else { 1 } {
            directory.extend(b"PK\x01\x02\x14\0");
            directory.extend(&head);
            directory.extend([0; 10]);
            directory.extend(offset.to_le_bytes());
            directory.extend(entry.name.as_bytes());
            count += 1;
        }
    }
    let start = archive.len() as u32;
    let length = directory.len() as u32;
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    let told = count.min(0xFFFF) as u16;
    archive.extend(told.to_le_bytes());
    archive.extend(told.to_le_bytes());
    archive.extend(length.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}
