//! Rows of a table carry their column names.

use crate::check;

#[track_caller]
fn check_text(csv: &str, expected: &str) {
    assert_eq!(check::text("a.csv", csv).trim_end(), expected);
}

#[test]
fn rows_carry_their_headers() {
    check_text(
        "이름,내선\n김하늘,4821\n이바다,\n",
        "이름: 김하늘, 내선: 4821\n이름: 이바다",
    );
    check_text(",2023,2024\n부산,1,2\n", "column 1: 부산, 2023: 1, 2024: 2");
    check_text("a,b\n1,2,3\n\n,,\n4\n", "a: 1, b: 2, column 3: 3\na: 4");
    check_text(
        "report of May\n\nname,age\nKim,30\n",
        "report of May\nname: Kim, age: 30",
    );
    check_text("name,age\n", "name | age");
    check_text("1,Kim\n2,Lee\n", "1 | Kim\n2 | Lee");
    check_text("one\ntwo\n", "one\ntwo");
}

#[test]
fn delimiters() {
    check_text("a;b\n1,5;2,7\n", "a: 1,5, b: 2,7");
    check_text("a\tb\n1\t2\n", "a: 1, b: 2");
    check_text("a|b\n1|2\n", "a: 1, b: 2");
    check_text("sep=;\na;b,c\n1;2,3\n", "a: 1, b,c: 2,3");
}

#[test]
fn quotes() {
    check_text(
        "a,b\n\"1,\n 2\",\"say \"\"x\"\"\"\n",
        "a: 1, 2, b: say \"x\"",
    );
    check_text("a,b\n5\" pipe,2\n", "a: 5\" pipe, b: 2");
    check_text(
        "a,b\n1,\"never closed\n2,x\n3,y\n",
        "a: 1, b: never closed\na: 2, b: x\na: 3, b: y",
    );
}
