//! Which passages a query leaves out, whatever their score.

use std::collections::BTreeSet;
use std::sync::Arc;

use retrieval::{Index, Query};

use crate::{files, index_of};

fn check(index: &Index, query: &Query, expected: &[&str]) {
    let hits = index.search(query).expect("a valid query");
    let mut found = files(&hits);
    found.sort_unstable();
    assert_eq!(found, expected, "{query:?}");
}

fn check_search(index: &Index, text: &str, expected: &[&str]) {
    check(index, &Query::with_operators(text, 10), expected);
}

#[test]
fn phrases_must_stand_as_they_are() {
    let index = index_of(&[
        "The green tea is steeped.",
        "Tea in a green\n  Tea cup.",
        "근로자는 연차 유급휴가를 쓴다.",
        "유급으로 연차를 쓴다.",
        "東京都の首都機能",
        "首都は東京都",
    ]);
    check_search(&index, "green tea", &["0", "1"]);
    check_search(&index, "\"green tea is\"", &["0"]);
    check_search(&index, "\"Green tea\" cup", &["0", "1"]);
    check_search(&index, "\"a green tea\"", &["1"]);
    check_search(&index, "\"연차 유급\"", &["2"]);
    check_search(&index, "\"都の首\"", &["4"]);
    check_search(&index, "\"tea green\"", &[]);
}

#[test]
fn excluded_words_are_excluded_in_every_form() {
    let index = index_of(&[
        "apple pie with cream",
        "apples and pears",
        "연차를 쓴다",
        "연차와 휴가를 쓴다",
    ]);
    check_search(&index, "apple -pie", &["1"]);
    check_search(&index, "pears pie -apple", &[]);
    check_search(&index, "연차 -휴가", &["2"]);
    check_search(&index, "apple -\"pie with\"", &["1"]);
}

#[test]
fn only_the_given_files_are_searched() {
    let index = index_of(&["tea one", "tea two", "tea three"]);
    let among = |names: &[&str]| {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Query {
            files: Some(Arc::new(names)),
            ..Query::new("tea", 1)
        }
    };
    check(&index, &among(&["2"]), &["2"]);
    check(&index, &among(&["nowhere"]), &[]);
    check(&index, &among(&[]), &[]);
    // A file that is left out must not take the place of one that is not.
    check(&index, &among(&["1", "2"]), &["1"]);
}

#[test]
fn typing_errors_are_forgiven_when_nothing_else_is_found() {
    let index = index_of(&["The photosynthesis of plants", "Zebra crossings"]);
    check_search(&index, "photosinthesis", &["0"]);
    check_search(&index, "pohtosynthesis", &["0"]);
    check_search(&index, "zebar", &["1"]);
    check_search(&index, "qqqqqq", &[]);
    check_search(&index, "zbr", &[]);
}

#[test]
fn words_that_stand_together_win() {
    let far = format!("kiln {} glaze", "and then something else ".repeat(20));
    let near = format!("kiln glaze {}", "and then something else ".repeat(20));
    let index = index_of(&[&far, &near]);
    let hits = index
        .search(&Query::new("kiln glaze", 2))
        .expect("a valid query");
    assert_eq!(files(&hits), ["1", "0"]);
    assert!(hits[0].score > hits[1].score, "{hits:?}");
}
