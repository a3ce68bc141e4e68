//! `'%s of %d' % (a, b)`: Python's older way of formatting, which minijinja reads as a remainder.
//!
//! Where a text in quotes stands before the sign, the template is made to call a method instead.

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use super::python;

/// What the method is called, as in Python.
pub(crate) const METHOD: &str = "__mod__";

/// The widest field: a template cannot make a text of any length with one sign.
const WIDEST: usize = 1000;

/// The template with `'…' % operand` replaced by a call.
pub(crate) fn as_method(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let close = if tag.starts_with("{{") { "}}" } else { "%}" };
        let (open, mut inner) = tag.split_at(2);
        out.push_str(open);
        while !inner.is_empty() && !inner.starts_with(close) {
            let len = unit(inner);
            let (unit, after) = inner.split_at(len);
            out.push_str(unit);
            inner = after;
            let sign = after.trim_start().strip_prefix('%');
            if let (true, Some(after)) = (is_text(unit), sign.filter(|next| !ends_tag(next))) {
                let after = after.trim_start();
                let (operand, after) = after.split_at(operand(after));
                let operand = as_method_within(operand);
                out.push_str(&match operand.starts_with('(')
                    && in_brackets(&operand) == operand.len()
                {
                    true => format!(".{METHOD}{operand}"),
                    false => format!(".{METHOD}({operand})"),
                });
                inner = after;
            }
        }
        rest = inner;
    }
    out.push_str(rest);
    out
}

/// The same for what may hold texts with signs of their own.
fn as_method_within(operand: &str) -> String {
    let whole = as_method(&format!("{{{{{operand}}}}}"));
    whole[2..whole.len() - 2].to_owned()
}

fn is_text(unit: &str) -> bool {
    unit.len() > 1 && unit.starts_with(['\'', '"'])
}

fn ends_tag(after_sign: &str) -> bool {
    after_sign.starts_with('}')
}

/// The length of a text in quotes, or of a character.
fn unit(source: &str) -> usize {
    let mut chars = source.char_indices();
    let Some((_, first)) = chars.next() else {
        return 0;
    };
    if !matches!(first, '\'' | '"') {
        return first.len_utf8();
    }
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            _ if char == first => return at + 1,
            _ => {}
        }
    }
    source.len()
}

/// The length of an operand: a name, a number, a text or something in brackets, and what is asked
/// of it, filters too.
fn operand(source: &str) -> usize {
    let mut len = 0;
    loop {
        let rest = &source[len..];
        let next = rest.chars().next().unwrap_or(' ');
        len += match next {
            '(' | '[' | '{' => in_brackets(rest),
            '\'' | '"' => unit(rest),
            '.' | '_' => 1,
            '-' if len == 0 => 1,
            _ if next.is_alphanumeric() => next.len_utf8(),
            _ => match rest.trim_start().strip_prefix('|') {
                Some(filter) => rest.len() - filter.trim_start().len(),
                None => return len,
            },
        };
    }
}

fn in_brackets(source: &str) -> usize {
    let (mut len, mut depth) = (0, 0);
    while len < source.len() {
        match source.as_bytes()[len] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        len += unit(&source[len..]);
        if depth == 0 {
            break;
        }
    }
    len
}

/// `text % values`, for `%s`, `%r`, `%d`, `%i`, `%x`, `%f` and `%%` with flags, width and precision.
pub(crate) fn format(text: &str, values: &[Value]) -> Result<Value, Error> {
    let mut values = values.iter();
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, sign)) = rest.split_once('%') {
        out.push_str(before);
        let (field, after) = Field::read(sign).ok_or_else(|| wrong("an unknown field"))?;
        rest = after;
        if field.kind == '%' {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| wrong("too few values"))?;
        out.push_str(&field.write(value)?);
    }
    out.push_str(rest);
    match values.next() {
        None => Ok(out.into()),
        Some(_) => Err(wrong("too many values")),
    }
}

fn wrong(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("formatting with %: {what}"),
    )
}

/// What stands between the sign and its letter.
struct Field {
    left: bool,
    zeros: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Field {
    fn read(source: &str) -> Option<(Self, &str)> {
        let rest = source.trim_start_matches(['-', '0', '+']);
        let flags = &source[..source.len() - rest.len()];
        let (width, rest) = number(rest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => number(rest).map(|(number, rest)| (Some(number), rest))?,
            None => (None, rest),
        };
        let kind = rest
            .chars()
            .next()
            .filter(|kind| "srdixf%".contains(*kind))?;
        let field = Self {
            left: flags.contains('-'),
            zeros: flags.contains('0'),
            plus: flags.contains('+'),
            width,
            precision,
            kind,
        };
        Some((field, &rest[1..]))
    }

    fn write(&self, value: &Value) -> Result<String, Error> {
        let number = || f64::try_from(value.clone()).map_err(|_| wrong("a number is needed"));
        let text = match self.kind {
            's' => self.cut(text_of(value)),
            'r' => self.cut(format!("{value:?}")),
            'f' => format!("{:.*}", self.precision.unwrap_or(6), number()?),
            'x' => format!("{:x}", number()?.trunc() as i64),
            _ => format!("{:.0}", number()?.trunc()),
        };
        let numeric = !matches!(self.kind, 's' | 'r');
        let (sign, digits) = match (numeric, text.strip_prefix('-')) {
            (true, Some(digits)) => ("-", digits),
            (true, None) if self.plus => ("+", &*text),
            _ => ("", &*text),
        };
        let missing = self
            .width
            .saturating_sub(sign.len() + digits.chars().count());
        Ok(match (self.left, self.zeros && numeric) {
            (true, _) => format!("{sign}{digits}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{digits}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{digits}", " ".repeat(missing)),
        })
    }

    fn cut(&self, text: String) -> String {
        match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }
}

/// As `{{ value }}` writes it.
fn text_of(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if value.is_number() && !value.is_integer() => python::float(number),
        _ => value.to_string(),
    }
}

/// A number of digits, 0 without any, and what follows.
fn number(source: &str) -> Option<(usize, &str)> {
    let rest = source.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = &source[..source.len() - rest.len()];
    let number = match digits {
        "" => 0,
        digits => digits.parse().ok().filter(|number| *number <= WIDEST)?,
    };
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use super::*;

    #[test]
    fn texts_are_formatted_as_in_python() {
        let mut environment = Environment::new();
        environment.set_unknown_method_callback(python::method);
        let check = |template: &str, expected: &str| {
            let values = context! { name => "tea", n => 7, list => [1, 2], half => 0.5 };
            let rendered = environment.render_str(&as_method(template), values);
            assert_eq!(rendered.expect("it renders"), expected, "{template}");
        };
        check("{{ '%s' % name }}", "tea");
        check("{{ \"%s: %d\" % (name, n) }}", "tea: 7");
        check(
            "{{ ('%03d|%-4d|%4d|%+d' % (n, n, n, n)) ~ '%' }}",
            "007|7   |   7|+7%",
        );
        check("{% set x = '%.2f' % half %}{{ x }}", "0.50");
        check("{{ '%s %%' % half }}", "0.5 %");
        check("{{ '%5.2s|' % name }}", "   te|");
        check("{{ '%04d' % -n }}", "-007");
        check("{{ '%x' % 255 }}", "ff");
        check(
            "{{ '%s' % list[1] }}{{ '%s' % name.upper() ~ '!' }}",
            "2TEA!",
        );
        check("{{ '%s' % ('%s!' % name) }}", "tea!");
        check("{{ 'a %s' % name | upper }}", "a TEA");
        check(
            "{{ n % 4 }}{% if n % 2 == 1 %}odd{% endif %}{{ '%' }}",
            "3odd%",
        );
        check("{% set a = '%}' %}{{ a }} 100 % {{ 'b' }}", "%} 100 % b");
        check("{% if name == 'tea'%}yes{% endif %}", "yes");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (text, values) in [
            ("%s %s", &[Value::from(1)][..]),
            ("%s", &[1.into(), 2.into()]),
            ("%d", &["tea".into()]),
            ("%q", &[1.into()]),
            ("%99999999d", &[1.into()]),
        ] {
            assert!(format(text, values).is_err(), "{text}");
        }
    }
}
