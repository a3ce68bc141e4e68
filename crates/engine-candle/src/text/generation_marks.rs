//! `{% generation %}` … `{% endgeneration %}`: where training would begin and end to count.
//!
//! A tag that `transformers` adds to Jinja and minijinja does not know. Nothing depends on it
//! when a prompt is rendered, so it becomes a block that does nothing but keep its variables to
//! itself, as the tag does.

/// The template with the marks replaced; how they strip white space stays as it is.
pub(crate) fn without(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find("%}").map_or(rest.len(), |end| end + "%}".len());
        let tag = &rest[..end];
        match replacement(tag) {
            Some(replacement) => out.push_str(&replacement),
            None => {
                // Only the opening is consumed: what closes first may stand inside a string.
                out.push_str("{%");
                rest = &rest["{%".len()..];
                continue;
            }
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn replacement(tag: &str) -> Option<String> {
    let inner = tag.strip_prefix("{%")?.strip_suffix("%}")?;
    let name = inner.trim_matches(['-', '+']).trim();
    let block = match name {
        "generation" => "with",
        "endgeneration" => "endwith",
        _ => return None,
    };
    Some(tag.replacen(name, block, 1))
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn only_the_marks_are_replaced() {
        let check = |source: &str, expected: &str| assert_eq!(without(source), expected);
        check(
            "a{%- generation -%}b{% endgeneration %}",
            "a{%- with -%}b{% endwith %}",
        );
        check(
            "{% if generation %}{% endif %}",
            "{% if generation %}{% endif %}",
        );
        check(
            "{{ 'x' }} {% set a = '%}' %}{%",
            "{{ 'x' }} {% set a = '%}' %}{%",
        );
    }
}
