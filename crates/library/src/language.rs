//! The language of a document: by its script, and for Latin letters by its most frequent words.

/// So much is looked at in each of three places: documents begin with what is in English, such as
/// a licence or an abstract.
const SAMPLE_BYTES: usize = 16 * 1024;

/// Fewer letters than this tell nothing: of a script that many languages share, and of one that is
/// nearly one language's own.
const MIN_LATIN: usize = 24;
const MIN_OTHER: usize = 4;

/// How many times as much a character of East Asia says as a letter.
const EAST_ASIAN_WEIGHT: usize = 3;

/// Letters of the samples by script.
#[derive(Debug, Default)]
struct Letters {
    latin: usize,
    hangul: usize,
    kana: usize,
    han: usize,
    cyrillic: usize,
    ukrainian: usize,
    arabic: usize,
    persian: usize,
    /// Of scripts that stand for one language here, by its code.
    others: [usize; OTHERS.len()],
}

/// Scripts that stand for one language here.
const OTHERS: [(&str, char, char); 9] = [
    ("el", '\u{370}', '\u{3FF}'),
    ("hy", '\u{530}', '\u{58F}'),
    ("he", '\u{590}', '\u{5FF}'),
    ("hi", '\u{900}', '\u{97F}'),
    ("bn", '\u{980}', '\u{9FF}'),
    ("ta", '\u{B80}', '\u{BFF}'),
    ("te", '\u{C00}', '\u{C7F}'),
    ("th", '\u{E00}', '\u{E7F}'),
    ("ka", '\u{10A0}', '\u{10FF}'),
];

/// The language most of a text is in, as ISO 639's two letters; `None` where there is too little
/// to tell.
pub(crate) fn detect(text: &str) -> Option<&'static str> {
    let mut letters = Letters::default();
    let mut latin = String::new();
    for sample in samples(text) {
        sample.chars().for_each(|c| letters.count(c));
        latin.push_str(sample);
        latin.push('\n');
    }
    let (language, count) = letters.most();
    match language {
        Some(language) => (count >= MIN_OTHER).then_some(language),
        None => (count >= MIN_LATIN).then(|| retrieval::latin_language(&latin)),
    }
}

/// The beginning, the middle and the end, or all of a short text.
fn samples(text: &str) -> Vec<&str> {
    if text.len() <= 3 * SAMPLE_BYTES {
        return vec![text];
    }
    let starts = [
        0,
        (text.len() - SAMPLE_BYTES) / 2,
        text.len() - SAMPLE_BYTES,
    ];
    let sample = |start| {
        let end = text.floor_char_boundary(start + SAMPLE_BYTES);
        &text[text.ceil_char_boundary(start)..end]
    };
    starts.map(sample).to_vec()
}

impl Letters {
    fn count(&mut self, c: char) {
        if !c.is_alphabetic() {
            return;
        }
        match c {
            'A'..='Z' | 'a'..='z' | 'À'..='ɏ' | 'Ḁ'..='ỿ' => self.latin += 1,
            '가'..='힣' | '\u{1100}'..='\u{11FF}' | 'ㄱ'..='ㆎ' => self.hangul += 1,
            '\u{3040}'..='\u{30FF}' => self.kana += 1,
            '㐀'..='鿿' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => self.han += 1,
            '\u{400}'..='\u{52F}' => {
                self.cyrillic += 1;
                self.ukrainian += usize::from("іїєґІЇЄҐ".contains(c));
            }
            '\u{600}'..='\u{6FF}' => {
                self.arabic += 1;
                self.persian += usize::from("پچژگ".contains(c));
            }
            _ => {
                let own = OTHERS
                    .iter()
                    .position(|(_, from, to)| (*from..=*to).contains(&c));
                if let Some(own) = own {
                    self.others[own] += 1;
                }
            }
        }
    }

    /// The language of the script that says the most, and how many of its letters there are;
    /// `None` for Latin letters, which many languages share.
    fn most(&self) -> (Option<&'static str>, usize) {
        // Japanese has kana between its characters, Chinese at most in names.
        let is_japanese = self.kana * 10 > self.han;
        let cyrillic = match self.ukrainian * 50 > self.cyrillic {
            true => "uk",
            false => "ru",
        };
        let arabic = match self.persian * 100 > self.arabic {
            true => "fa",
            false => "ar",
        };
        let han_language = if is_japanese { "ja" } else { "zh" };
        let mut scripts = vec![
            (None, self.latin, 1),
            (Some("ko"), self.hangul, EAST_ASIAN_WEIGHT),
            (Some(han_language), self.han + self.kana, EAST_ASIAN_WEIGHT),
            (Some(cyrillic), self.cyrillic, 1),
            (Some(arabic), self.arabic, 1),
        ];
        let others = OTHERS.iter().zip(self.others);
        scripts.extend(others.map(|((language, ..), count)| (Some(*language), count, 1)));
        let most = scripts
            .into_iter()
            .max_by_key(|(_, count, weight)| count * weight);
        most.map_or((None, 0), |(language, count, _)| (language, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_a_language() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(detect(text), expected, "{text:?}");
        };
        check(
            "The lease ends in March and the keys go back to the owner.",
            Some("en"),
        );
        check(
            "사용자는 근로자에게 15일의 유급휴가를 주어야 한다.",
            Some("ko"),
        );
        check(
            "트랜스포머(Transformer)는 Attention Is All You Need에서 제안된 구조로, self-attention을 쓴다.",
            Some("ko"),
        );
        check("이 법은 勤勞者의 권리를 보호한다.", Some("ko"));
        check("契約は三月に終わり、鍵は所有者に返される。", Some("ja"));
        check("合同于三月到期，钥匙归还业主。", Some("zh"));
        check(
            "Der Vertrag endet im März, und die Schlüssel gehen an den Eigentümer zurück.",
            Some("de"),
        );
        check(
            "Le bail se termine en mars et les clés sont rendues au propriétaire.",
            Some("fr"),
        );
        check(
            "El contrato termina en marzo y las llaves se devuelven al propietario.",
            Some("es"),
        );
        check("Umowa.", None);
        check(
            "Договор заканчивается в марте, ключи возвращаются владельцу.",
            Some("ru"),
        );
        check(
            "Договір закінчується в березні, ключі повертаються власникові.",
            Some("uk"),
        );
        check("العقد ينتهي في مارس وتعاد المفاتيح إلى المالك", Some("ar"));
        check(
            "قرارداد در ماه مارس پایان می‌یابد و کلیدها برمی‌گردند",
            Some("fa"),
        );
        check("Η σύμβαση λήγει τον Μάρτιο.", Some("el"));
        check("สัญญาสิ้นสุดในเดือนมีนาคม", Some("th"));
        check("अनुबंध मार्च में समाप्त होता है।", Some("hi"));
        check("12 + 34 = 46", None);
        check("", None);
    }

    #[test]
    fn a_licence_in_front_does_not_decide() {
        let english = "The licence of this text is that of the project. ".repeat(600);
        let korean = "사용자는 근로자에게 휴가를 주어야 한다. ".repeat(4000);
        assert_eq!(detect(&format!("{english}{korean}")), Some("ko"));
    }
}
