//! Office documents: Word, PowerPoint, Excel, OpenDocument.

use crate::archive::{docx, odf};
use crate::check;

#[test]
fn word() {
    let document = check::document("a.bin", include_bytes!("../data/minimal-ko.docx"));
    assert_eq!(document.format.name(), "docx");
    assert!(document.pages.is_empty());
    assert_eq!(
        document.text,
        "연락처 안내  담당자는 김하늘이고 근무지는 부산입니다. 내선 번호는 4821번입니다."
    );
}

#[test]
fn word_tables_and_changes() {
    let run = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let cell = |text: &str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let body = format!(
        "<w:p>{}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>{}</w:ins></w:p>\
         <w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl><w:p>{}</w:p>",
        run("kept "),
        run("added"),
        cell("이름"),
        cell("내선"),
        cell("김하늘"),
        cell("4821"),
        run("after &amp; all"),
    );
    assert_eq!(
        check::text("a.docx", docx(&body)),
        "kept added\n\n이름 | 내선\n김하늘 | 4821\n\nafter & all"
    );
}

#[test]
fn invisible_characters_are_left_out() {
    let body = "<w:p><w:r><w:t>보\u{200B}이는\u{202E} 것\u{E0041}만</w:t></w:r></w:p>";
    assert_eq!(check::text("a.docx", docx(body)), "보이는 것만");
}

#[test]
fn excel_keeps_headers_with_rows_and_sheets_as_pages() {
    let document = check::document("a.xlsx", include_bytes!("../data/org-ko.xlsx"));
    assert_eq!(document.format.name(), "xlsx");
    assert_eq!(document.pages.len(), 2);
    let sheet = &document.text[document.pages[0].clone()];
    assert!(sheet.contains("부서: "), "{sheet}");
    assert_eq!(
        check::headings(&document).len(),
        2,
        "{:?}",
        document.headings
    );
}

#[test]
fn opendocument_text() {
    let body = r#"<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h text:outline-level="2">안내</text:h><text:p>하나<text:s text:c="2"/>둘<text:line-break/>셋</text:p><text:list><text:list-item><text:p>가</text:p></text:list-item><text:list-item><text:p>나</text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table><text:p>끝</text:p>"#;
    let document = check::document("a.odt", odf("text", body));
    assert_eq!(
        document.text,
        "안내\n\n하나  둘\n셋\n- 가\n- 나\n\na | b\n\n끝"
    );
    assert_eq!(document.title.as_deref(), Some("부서 & 내선"));
    assert_eq!(check::headings(&document), ["2 안내"]);
}

#[test]
fn opendocument_spreadsheet() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let empty = r#"<table:table-cell table:number-columns-repeated="16000"/>"#;
    let row = |a: &str, b: &str| {
        format!(
            "<table:table-row>{}{}{empty}</table:table-row>",
            cell(a),
            cell(b)
        )
    };
    let body = format!(
        r#"<table:table table:name="연락처">{}{}</table:table><table:table table:name="빈 표"/>"#,
        row("이름", "내선"),
        row("김하늘", "4821")
    );
    let document = check::document("a.ods", odf("spreadsheet", &body));
    assert_eq!(
        document.text.trim_end(),
        "연락처\n\n이름: 김하늘, 내선: 4821\n\n빈 표"
    );
    assert_eq!(document.pages.len(), 2);
}

#[test]
fn opendocument_presentation() {
    let body = "<draw:page><text:p>one</text:p></draw:page><draw:page/><draw:page><text:p>three</text:p></draw:page>";
    let document = check::document("a.odp", odf("presentation", body));
    assert_eq!(document.text, "one\n\nthree");
    assert_eq!(document.pages, vec![0..5, 5..5, 5..10]);
}
