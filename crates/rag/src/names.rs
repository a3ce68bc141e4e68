//! What in a sentence is likely to be a name or a number.

/// Words with a digit or a capital letter in them; the first word begins with a capital anyway.
pub(crate) fn names(sentence: &str) -> impl Iterator<Item = &str> {
    let words = sentence.split_whitespace().enumerate();
    words.filter_map(|(place, word)| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let is_name = |letter: char| letter.is_numeric() || letter.is_uppercase() && place > 0;
        word.contains(is_name).then_some(word)
    })
}

/// The letters and digits that a name in Latin script begins with: `2024` of `2024년에`.
pub(crate) fn bare_name(name: &str) -> &str {
    let is_latin = |letter: char| letter.is_alphanumeric() && letter < '\u{1100}';
    let end = name.find(|letter| !is_latin(letter)).unwrap_or(name.len());
    let end = if end == 0 { name.len() } else { end };
    name[..end].strip_suffix("'s").unwrap_or(&name[..end])
}
