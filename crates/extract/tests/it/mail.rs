//! E-mail: who, when and about what, and the text.

use crate::check;

const MESSAGE: &str = "From: =?UTF-8?B?6rmA7ZWY64qY?= <haneul@example.com>\r\n\
To: Sam <sam@example.com>, team@example.com\r\n\
Subject: =?UTF-8?B?7ZqM7J2YIOyVjOumvA==?=\r\n\
Date: Mon, 2 Mar 2026 09:30:00 +0900\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
--b\r\nContent-Type: text/plain; charset=EUC-KR\r\nContent-Transfer-Encoding: base64\r\n\r\n\
yLjAx7TCIDPAz8DUtM+02S4=\r\n\
--b\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\n\
Content-Disposition: attachment; filename=\"plan.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n";

#[test]
fn a_message() {
    for name in ["a.eml", "upload"] {
        let document = check::document(name, MESSAGE);
        assert_eq!(document.format.name(), "email");
        assert_eq!(document.title.as_deref(), Some("회의 알림"));
        assert_eq!(
            document.text,
            "Subject: 회의 알림\nFrom: 김하늘 <haneul@example.com>\n\
             To: Sam <sam@example.com>, team@example.com\nDate: 2026-03-02T09:30:00+09:00\n\n\
             회의는 3일입니다.\n\nAttachments: plan.pdf"
        );
    }
}

#[test]
fn a_message_of_html_alone() {
    let message = "Subject: x\nFrom: a@b.c\nContent-Type: text/html; charset=utf-8\n\n<p>one<p>two<script>x</script>";
    let text = check::text("a.eml", message);
    assert_eq!(text, "Subject: x\nFrom: a@b.c\n\none\n\ntwo");
}

#[test]
fn prose_is_not_mail() {
    for text in [
        "Note: buy milk\nDate: today",
        "Subject: none of this\nis mail",
    ] {
        assert_eq!(check::document("upload", text).format.name(), "text");
    }
}

#[test]
fn outlook() {
    let document = check::document("a.bin", include_bytes!("../data/test_outlook_msg.msg"));
    assert_eq!(document.format.name(), "msg");
    assert_eq!(document.title.as_deref(), Some("Test Email Message"));
    assert!(
        document
            .text
            .starts_with("Subject: Test Email Message\nFrom: "),
        "{}",
        document.text
    );
}
