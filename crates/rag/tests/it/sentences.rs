//! Where sentences end: one line per case, and the same spans however the text is cut.

use crate::support::Random;
use rag::{Kind, SentenceSplitter, sentences};

/// `text` has its sentences separated by `|`, which is not part of it.
fn check(text: &str) {
    let expected: Vec<&str> = text.split('|').map(str::trim).collect();
    let text = text.replace('|', "");
    let got: Vec<&str> = sentences(&text)
        .into_iter()
        .map(|sentence| &text[sentence.span])
        .collect();
    assert_eq!(got, expected, "in {text:?}");
    check_cuttings(&text);
}

/// `text` has the sentences `expected`, each with its kind.
fn check_blocks(text: &str, expected: &[(Kind, &str)]) {
    let got: Vec<(Kind, &str)> = sentences(text)
        .into_iter()
        .map(|sentence| (sentence.kind, &text[sentence.span]))
        .collect();
    assert_eq!(got, expected, "in {text:?}");
    check_cuttings(text);
}

fn check_cuttings(text: &str) {
    let whole = sentences(text);
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut splitter = SentenceSplitter::default();
        let mut got = Vec::new();
        let mut rest = text;
        let mut fed = 0;
        while !rest.is_empty() {
            let chars = 1 + random.below(if seed % 3 == 0 { 1 } else { 9 });
            let len = rest
                .char_indices()
                .nth(chars)
                .map_or(rest.len(), |(at, _)| at);
            let settled = splitter.settled();
            let finished = splitter.push(&rest[..len]);
            assert!(finished.iter().all(|sentence| sentence.span.end >= settled));
            got.extend(finished);
            fed += len;
            assert!(splitter.settled() <= fed);
            rest = &rest[len..];
        }
        let settled = splitter.settled();
        let finished = splitter.finish();
        assert!(finished.iter().all(|sentence| sentence.span.end >= settled));
        got.extend(finished);
        assert_eq!(got, whole, "seed {seed} of {text:?}");
    }
}

#[test]
fn english() {
    check("One sentence.");
    check("No stop at the end");
    check("First. |Second! |Third? |Fourth.");
    check("What?! |Really... |Yes.");
    check("It goes on... and on. |Then it ends.");
    check("He said … nothing. |She left.");
    check("The end.\n\n|New paragraph.");
    check("No stop before the gap\n\n|New paragraph.");
    check("Is it? |it is.");
}

#[test]
fn english_abbreviations() {
    check("Dr. Smith met Mrs. Jones. |They talked.");
    check("He lives in the U.S. and works. |Good.");
    check("The U.S. Army came. |It left the U.S. |The end.");
    check("J. R. R. Tolkien wrote it. |George W. Bush read it.");
    check("See Fig. 3 and No. 5 for more. |Then go on.");
    check("The answer is no. |That was clear.");
    check("Use tools, e.g. a hammer, i.e. something hard. |Go.");
    check("Smith et al. (2020) say so. |Others do not.");
    check("Acme Inc. Japan makes it. |It is sold by Acme Inc. |The price is low.");
    check("At 5 p.m. we leave. |On Jan. 3 we return.");
    check("She has a Ph.D. in physics. |He has none.");
    check("Apples, pears, etc. are fruit. |Eat them.");
}

#[test]
fn numbers_names_and_links() {
    check("Pi is 3.14 or so. |Good.");
    check("Version v1.2.3 is out. |It fixes main.rs and lib.rs.");
    check("See https://example.com/a.b?c=d. |Then read on.");
    check("It costs $1,000.50. |That is much.");
    check("It was 1999. |Nobody knew.");
    check("Write to a.b@example.org. |We answer.");
    check("Do this. |1. Open the door. |2. Go in.");
    check("Call foo.bar() first. |`main` comes next.");
    check("It is 5\" wide. |It is flat.");
}

#[test]
fn quotes_and_brackets() {
    check("“Stop!” he said. |She stopped.");
    check("“Go. Now.” |He left.");
    check("He said \"I know. I do.\" and left. |Fine.");
    check("It works (see below. Or above.) and well. |Yes.");
    check("He said it (loudly.) |She heard.");
    check("It is *important.* |It is **bold.** |Yes.");
    check("An open (bracket is closed by\n\n|the paragraph. |Yes.");
    check("‘It’s fine.’ |She nodded.");
}

#[test]
fn korean() {
    check("한국의 수도는 서울이다. |인구는 약 940만 명이다.");
    check("어디에 있나요? |서울에 있어요. |그렇군요!");
    check("원주율은 3.14이다. |끝.");
    check("2024. 3. 5. 시행한다. |다음은 부칙이다.");
    check("그는 “안녕하세요. 반갑습니다.”라고 말했다. |모두 웃었다.");
    check("“그만해요.” |그가 말했다.");
    check("그는 \"마음이다.\" 라는 말을 했다. |“간다.” 하고 갔다.");
    check("글쎄… 모르겠다. |끝났다… |다음 날이 왔다.");
    check("공백이 없다.|그래도 나눈다.");
    check("제60조(연차 유급휴가) ① 사용자는 휴가를 주어야 한다. |② 다음과 같다.");
    check("다음과 같다. |가. 첫째 항목이다. |나. 둘째 항목이다.");
    check("main.rs를 고쳤다. |v1.2.3에서 돌아간다.");
    check("그럴까? |아니! |왜?! |몰라요~ 정말.");
    check("근로기준법(이하 “법”이라 한다. 개정 포함)을 따른다. |끝.");
    check("문서.hwp를 연다. |끝.");
}

#[test]
fn japanese_and_chinese() {
    check("東京は日本の首都です。|人口は約1400万人です。");
    check("「そうです。」と彼は言った。|終わり。");
    check("「はい。」|「いいえ！」");
    check("你好！|你是谁？|我是学生。");
    check("他说：“好的。”然后走了。|我也走了。");
}

#[test]
fn blocks() {
    check_blocks(
        "# Title\nText here.\n\n## Part. Two\n- one\n- two. Three.\n",
        &[
            (Kind::Heading, "Title"),
            (Kind::Prose, "Text here."),
            (Kind::Heading, "Part. Two"),
            (Kind::Item, "one"),
            (Kind::Item, "two."),
            (Kind::Item, "Three."),
        ],
    );
    check_blocks(
        "Look:\n\n```rust\nlet a = 1. + 2.;\n\nfoo();\n```\nDone. Yes.",
        &[
            (Kind::Prose, "Look:"),
            (Kind::Code, "```rust\nlet a = 1. + 2.;\n\nfoo();\n```"),
            (Kind::Prose, "Done."),
            (Kind::Prose, "Yes."),
        ],
    );
    check_blocks(
        "````\n```\n````\n~~~\nnever closed",
        &[
            (Kind::Code, "````\n```\n````"),
            (Kind::Code, "~~~\nnever closed"),
        ],
    );
    check_blocks(
        "| a | b |\n|---|---|\n| 1. | 2. |\n\nText.",
        &[
            (Kind::Row, "| a | b |"),
            (Kind::Row, "|---|---|"),
            (Kind::Row, "| 1. | 2. |"),
            (Kind::Prose, "Text."),
        ],
    );
    check_blocks(
        "1. 근로시간은 8시간이다.\n  가. 휴게시간은 뺀다.\n  나. 대기는 넣는다.\n\n---\n① 첫째\n② 둘째",
        &[
            (Kind::Item, "근로시간은 8시간이다."),
            (Kind::Item, "휴게시간은 뺀다."),
            (Kind::Item, "대기는 넣는다."),
            (Kind::Item, "첫째"),
            (Kind::Item, "둘째"),
        ],
    );
    check_blocks(
        "> Quoted text that goes on over two lines, because it was wrapped\n> by its writer. Yes.\n\nNot quoted.",
        &[
            (
                Kind::Prose,
                "Quoted text that goes on over two lines, because it was wrapped\n> by its writer.",
            ),
            (Kind::Prose, "Yes."),
            (Kind::Prose, "Not quoted."),
        ],
    );
}

#[test]
fn line_breaks() {
    check(
        "A paragraph whose lines were wrapped by an editor at about seventy\ncolumns goes on. |Yes.",
    );
    check("Name: Kim\n|Age: 30\n|City: Seoul");
    check("이름: 김철수\n|나이: 서른");
    check(
        "A line ends in a long [“name of\nsomething”][which-has-a-very-long-target-without-any-break-in-it] and goes on.",
    );
}

#[test]
fn nothing_to_find() {
    for text in ["", " ", "\n\n", "---", "- ", "#", "> "] {
        assert!(
            sentences(text).iter().all(|s| !s.span.is_empty()),
            "{text:?}"
        );
        check_cuttings(text);
    }
    check_cuttings("... . .. ?! ) ” \" ` `` ``` 1. 2) 가. ① - * ** ***\n~~~ ``` >");
}

#[test]
fn long_lines_are_bounded() {
    for text in [
        "word ".repeat(5_000),
        "가".repeat(9_000),
        "a. b ".repeat(3_000),
    ] {
        let longest = sentences(&text).iter().map(|s| s.span.len()).max();
        assert!(longest.is_some_and(|bytes| bytes <= 4_010), "{longest:?}");
    }
}

#[test]
fn random_texts_are_cut_alike() {
    const PIECES: &[&str] = &[
        "다",
        "요",
        ".",
        ". ",
        "\n",
        "\n\n",
        " ",
        "a",
        "The ",
        "U.S.",
        "…",
        "...",
        "?",
        "! ",
        "“",
        "”",
        "\"",
        "(",
        ")",
        "`",
        "```",
        "```\n",
        "# ",
        "- ",
        "1. ",
        "① ",
        "> ",
        "|",
        "---\n",
        "。",
        "」",
        "「",
        "3.14",
        "2024. 3. 5. ",
        "e.g. ",
        "😀",
        "한국",
        "가. ",
        "[1]",
        "word ",
    ];
    for seed in 0..300 {
        let mut random = Random(seed);
        let count = random.below(40);
        let text: String = (0..count)
            .map(|_| PIECES[random.below(PIECES.len())])
            .collect();
        check_cuttings(&text);
        let mut end = 0;
        for sentence in sentences(&text) {
            assert!(sentence.span.start >= end && !sentence.span.is_empty());
            assert_eq!(
                text[sentence.span.clone()].trim(),
                &text[sentence.span.clone()]
            );
            end = sentence.span.end;
        }
    }
}
