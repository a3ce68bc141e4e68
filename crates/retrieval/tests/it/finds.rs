//! Which texts a query finds, a case a line.

use retrieval::{Query, RetrievalError};

use crate::{files, index_of, search};

/// The query finds the text, and not another one that it has nothing to do with.
fn check(text: &str, query: &str) {
    let index = index_of(&[text, "zebra crossing 얼룩말 シマウマ 斑马"]);
    assert_eq!(
        files(&search(&index, query)),
        ["0"],
        "{query:?} in {text:?}"
    );
}

/// The query does not find the text.
fn check_not(text: &str, query: &str) {
    let index = index_of(&[text, "zebra crossing"]);
    assert!(search(&index, query).is_empty(), "{query:?} in {text:?}");
}

#[test]
fn korean_words_are_found_behind_their_particles() {
    check("인공지능은 사람의 일을 돕는다.", "인공지능");
    check("인공지능이라는 말은 1956년에 나왔다.", "인공지능");
    check("인공지능의 역사", "인공지능에서는");
    check("계약을 해제하였다", "해제할 수 있나요?");
    check("근로자에게 휴가를 주어야 한다", "휴가");
    check("민법제750조에 따라", "제750조");
}

#[test]
fn the_can_of_korean_verbs_is_not_taken_for_a_noun() {
    check_not("답을 읽을 수도 있으므로 믿을 만하다.", "프랑스의 수도");
    check_not("그럴 수밖에 없다. 그럴 수가 없다.", "의료 수가");
    check("서울은 한국의 수도이다.", "프랑스의 수도");
    check("오늘 수도가 끊겼다.", "수도");
    check("서울 수도 요금", "수도");
    check("읽을 수도 있으므로 믿을 만하다.", "\"읽을 수도 있으므로\"");
}

#[test]
fn loanwords_are_found_in_the_other_script() {
    check(
        "A generator yields one value after another.",
        "제너레이터를",
    );
    check(
        "Every component renders its children.",
        "컴포넌트가 무엇인가요?",
    );
    check("제너레이터는 값을 하나씩 돌려줍니다.", "generators");
    check_not("제너레이터는 값을 하나씩 돌려줍니다.", "component");
}

#[test]
fn what_is_said_is_found_as_it_is_written() {
    check(
        "사용자는 매월 1회 이상 임금을 지급하여야 한다.",
        "월급은 언제 주나요?",
    );
    check("임대인은 보증금을 반환한다.", "집주인이 돌려주나요?");
    check("`unlink`는 파일을 삭제한다.", "파일을 지우려면?");
    // Where the texts use the word itself, that is what is found.
    let index = index_of(&["월급은 25일에 나온다.", "월급날과 월급", "임금에 관한 규정"]);
    assert_eq!(files(&search(&index, "월급")), ["1", "0"]);
}

#[test]
fn a_question_of_one_subject_finds_what_opens_with_it() {
    let index = index_of(&[
        "요즘 큰 모델에서는 어디서나 어텐션. 어텐션, 어텐션.",
        "어텐션은 토큰이 서로를 보는 방법이다. 가중치를 더해 만든다.",
    ]);
    assert_eq!(files(&search(&index, "어텐션이란 무엇인가요?")), ["1", "0"]);
}

#[test]
fn spelling_variants_are_one_word() {
    check(
        "한국어",
        "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165}",
    );
    check(
        "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165}",
        "한국어",
    );
    check("Ｆｕｌｌ ｗｉｄｔｈ", "full width");
    check("ﬁne eﬀort", "fine effort");
    check("STRASSE", "strasse");
    check("Éclair", "éclair");
}

#[test]
fn latin_words_are_found_by_their_stems() {
    check(
        "The engines were running while the children played in the garden.",
        "run engine",
    );
    check(
        "Die Häuser wurden im letzten Jahr von den Arbeitern gebaut.",
        "Haus",
    );
    check(
        "Les chevaux couraient dans les prairies avec leurs cavaliers.",
        "cheval courait",
    );
}

#[test]
fn identifiers_are_found_whole_and_in_parts() {
    check(
        "call max_position_embeddings here",
        "max_position_embeddings",
    );
    check("call max_position_embeddings here", "embeddings");
    check("struct KvCacheBuilder", "KvCacheBuilder");
    check("struct KvCacheBuilder", "cache builder");
    check("released as v1.2.3 today", "v1.2.3");
    check("see crates/rag/src/pipeline.rs", "pipeline.rs");
    check("it weighs 6650 kg", "6650");
}

#[test]
fn scripts_without_spaces_are_found_by_parts() {
    check("東京都は日本の首都である。", "日本の首都");
    check("トランスフォーマーは注意機構を使う", "トランスフォーマー");
    check("北京是中华人民共和国的首都", "首都");
    check("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "เมืองหลวง");
    check("GPU를 이용한 병렬처리", "GPU 병렬처리");
}

#[test]
fn other_words_find_nothing() {
    check_not("인공지능은 사람의 일을 돕는다.", "자동차");
    check_not("The kiln is fired at noon.", "moon");
    check_not("something", "…?!");
    check_not("something", "");
}

#[test]
fn words_of_questions_say_nothing_of_the_subject() {
    let index = index_of(&[
        "무엇인가요 어떻게 되나요",
        "어텐션은 관련이 큰 단어를 본다.",
        "what is how does",
    ]);
    assert_eq!(files(&search(&index, "어텐션이란 무엇인가요?"))[0], "1");
    let terms = index.terms("어텐션이란 무엇인가요? What is it?");
    let texts = terms
        .iter()
        .map(|term| term.text.as_str())
        .collect::<Vec<_>>();
    assert!(texts.contains(&"어텐션"), "{texts:?}");
    assert!(
        !texts
            .iter()
            .any(|text| ["무엇", "what", "is"].contains(text)),
        "{texts:?}"
    );
}

#[test]
fn terms_stand_where_they_are_in_the_original() {
    // Ligatures, full width, decomposed Hangul and emoji all change length when normalised.
    let decomposed = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}";
    let text = format!("🙂 ﬁne 인공지능은 👩‍🔬 Ｇｏ v1.2 {decomposed}을 İzmir");
    let terms = index_of(&["x"]).terms(&text);
    let check = |term: &str, original: &str| {
        let found = terms.iter().find(|found| found.text == term);
        let found = found.unwrap_or_else(|| panic!("{term:?} is not among {terms:?}"));
        assert_eq!(&text[found.start..found.end], original, "{term:?}");
    };
    check("fine", "ﬁne");
    check("인공지능", "인공지능");
    check("공지", "공지");
    check("go", "Ｇｏ");
    check("v1.2", "v1.2");
    check("2", "2");
    check("한글", decomposed);
    check("izmir", "İzmir");
}

#[test]
fn hits_are_ordered_and_scored() {
    let index = index_of(&[
        "kiln",
        "kiln clay",
        "kiln clay glaze",
        "kiln clay glaze",
        "fire",
    ]);
    let hits = search(&index, "clay glaze kiln");
    assert_eq!(
        files(&hits)[..2],
        ["2", "3"],
        "equal scores are ordered by file"
    );
    assert!(
        hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)),
        "{hits:?}"
    );
    assert!(
        hits.is_sorted_by(|a, b| a.bm25 >= b.bm25 && a.score >= b.score),
        "{hits:?}"
    );
    let again = search(&index, "clay glaze kiln");
    assert_eq!(hits, again, "the same search gives the same hits");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let index = index_of(&["x"]);
    let check = |text: &str, top_k, parameter| {
        let refused = index.search(&Query::new(text, top_k));
        let Err(RetrievalError::Invalid {
            parameter: named, ..
        }) = refused
        else {
            panic!("{top_k} hits for {} bytes: {refused:?}", text.len());
        };
        assert_eq!(named, parameter);
    };
    check("x", 0, "top_k");
    check("x", 201, "top_k");
    check(&"x".repeat(2049), 5, "text");
}
