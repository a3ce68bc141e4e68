//! HTML becomes the text that a reader of the page sees.

use crate::check;

#[track_caller]
fn check_text(html: &str, expected: &str) {
    assert_eq!(check::text("a.html", html), expected);
}

#[test]
fn paragraphs_and_lines() {
    check_text("<p>one\n  <b>t</b>wo</p><p>three", "one two\n\nthree");
    check_text("<div>a</div><div>b</div>", "a\nb");
    check_text("a<br>b<br/>c", "a\nb\nc");
    check_text("a <span> b</span> c&nbsp;&nbsp;d", "a b c d");
    check_text("<p></p><p> </p><div><p>a</p></div>", "a");
    check_text(
        "a &lt;b&gt; &amp; &#xAC00; &eacute; &unknown;",
        "a <b> & 가 é &unknown;",
    );
    check_text("가<b>나</b>다", "가나다");
}

#[test]
fn what_is_not_shown_is_left_out() {
    check_text(
        "a<script>if (x < 1) { '<p>' }</script><style>p {}</style>b",
        "ab",
    );
    check_text("a<!-- secret -->b", "ab");
    check_text("a<svg><title>t</title><g><text>x</text></g></svg>b", "ab");
    check_text("a<noscript>x</noscript><template><p>y</template>b", "ab");
    check_text("a<div hidden>x<div>y</div>z</div>b", "ab");
    check_text("a<span style='color:red; Display : none'>x</span>b", "ab");
    check_text("<body style='visibility:hidden'><p hidden>a", "a");
    check_text("a&#8203;&shy;&#x202E;b&#x1100;&#x1161;", "ab가");
}

#[test]
fn lists() {
    check_text("<ul><li>a<li><p>b</p><li></ul>c", "- a\n- b\n\nc");
    check_text(
        "<ol><li>a<ul><li>b</li></ul></li><li>c</ol>",
        "- a\n  - b\n- c",
    );
    check_text("<dl><dt>a<dd>b</dl>", "a\nb");
}

#[test]
fn tables() {
    check_text(
        "<table><tr><th>이름<th>내선</tr><tr><td><p>김하늘</p></td><td> 4821 </td></tr></table>",
        "이름 | 내선\n김하늘 | 4821",
    );
    check_text(
        "<table><tr><td>a<td><td>c<tr><td><td>b<tr><td><td></table>",
        "a | | c\n| b",
    );
    check_text(
        "<table><tr><td><p>a</p><p>b</p><td>c</table>d",
        "a\n\nb | c\n\nd",
    );
    check_text(
        "<table><tr><td>a<table><tr><td>x<td>y</table><td>b</table>",
        "a\nx | y\n\nb",
    );
}

#[test]
fn lists_in_tables() {
    check_text(
        "<table><tr><th>a<td><ul><li>x<li>y</ul></table>",
        "a | x\n- y",
    );
    check_text("<table><tr><td><ul><li>x</ul><td>b</table>", "- x | b");
}

#[test]
fn preformatted_text_keeps_its_shape() {
    check_text("<p>a<pre>\n  x\n    y\n\n</pre>b", "a\n\n  x\n    y\n\nb");
    check_text("<pre><div>x  1</div>\n<div>y</div></pre>", "x  1\ny");
    check_text("<pre>x<br>  y</pre>", "x\n  y");
}

#[track_caller]
fn check_headings(html: &str, text: &str, expected: &[&str]) {
    let document = check::document("a.html", html);
    assert_eq!(document.text, text);
    assert_eq!(check::headings(&document), expected);
}

#[test]
fn headings() {
    check_headings(
        "<h1>A <i>b</i></h1>c<h3>D</h3>e",
        "A b\n\nc\n\nD\n\ne",
        &["1 A b", "3 D"],
    );
    check_headings(
        "<h2>A<br>b<h2>C</h2><p>d",
        "A b\n\nC\n\nd",
        &["2 A b", "2 C"],
    );
    check_headings(
        "<h2>never closed<p>text",
        "never closed\n\ntext",
        &["2 never closed"],
    );
    check_headings("<h2><img></h2>a", "a", &[]);
    check_headings(
        "<table><tr><td>a<td><h2>B</h2><td>c</table>",
        "a\n\nB\n\n| c",
        &["2 B"],
    );
}

#[track_caller]
fn check_title(html: &str, expected: Option<&str>) {
    assert_eq!(check::document("a.html", html).title.as_deref(), expected);
}

#[test]
fn titles() {
    check_title(
        "<head><title> 안내\n&amp; more </title></head>text",
        Some("안내 & more"),
    );
    check_title("<title></title><h1>Heading</h1>", Some("Heading"));
    check_title("<svg><title>icon</title></svg>text", None);
    check_title("text", None);
}

#[test]
fn navigation_around_the_content_is_left_out() {
    check_text(
        "<header>H</header><nav>N</nav><main>M<nav>toc</nav><aside>A</aside></main><footer>F",
        "H\n\nM\n\nA",
    );
    check_text(
        "<nav>N</nav><p>text</p><footer>F</footer>",
        "N\n\ntext\n\nF",
    );
    check_text("<nav>never closed<main>M</main>", "M");
    check_text("<aside>A<main></main></aside>", "A");
}

#[test]
fn broken_markup() {
    check_text("</p></div></td></table></ul></main>a<b", "a");
    check_text("a < b and <3 c</p>d", "a < b and <3 c\n\nd");
    check_text("<td>a</td><td>b</td>", "a | b");
}
