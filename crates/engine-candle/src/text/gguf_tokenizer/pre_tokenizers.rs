//! How text is split into words before byte pair encoding, by the name that GGUF has for it.
//!
//! The names and what they mean: llama.cpp, `src/llama-vocab.cpp`. Where that program stays near
//! the model's own rules because its regular expressions cannot say them, these are the model's.

/// The rules that a name stands for.
pub(super) struct Rules {
    names: &'static [&'static str],
    /// Regular expressions. Each splits the pieces of those before it into what matches and what
    /// lies between.
    pub(super) patterns: &'static [&'static str],
    /// A word that is a token is that token, whatever the merges would make of it.
    pub(super) ignore_merges: bool,
    /// Text is brought into Unicode's form NFC first.
    pub(super) composes: bool,
}

/// The rules of this name.
pub(super) fn find(name: &str) -> Option<&'static Rules> {
    RULES.iter().find(|rules| rules.names.contains(&name))
}

const PLAIN: Rules = Rules {
    names: &[],
    patterns: &[],
    ignore_merges: false,
    composes: false,
};

const RULES: &[Rules] = &[
    Rules {
        names: &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "jina-v1-en",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v2-code",
            "roberta-bpe",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "jais",
            "exaone4",
            "trillion",
            "granite-docling",
        ],
        patterns: &[GPT_2],
        ..PLAIN
    },
    Rules {
        names: &["mpt", "olmo"],
        patterns: &[GPT_2],
        composes: true,
        ..PLAIN
    },
    Rules {
        names: &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        patterns: &[DIGIT, GPT_2],
        ..PLAIN
    },
    Rules {
        names: &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
            "glm4",
            "glm5",
        ],
        patterns: &[LLAMA_3],
        ignore_merges: true,
        ..PLAIN
    },
    Rules {
        names: &["dbrx", "smaug-bpe", "chatglm-bpe"],
        patterns: &[LLAMA_3],
        ..PLAIN
    },
    Rules {
        names: &["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez"],
        patterns: &[QWEN_2],
        composes: true,
        ..PLAIN
    },
    Rules {
        names: &["stablelm2", "hunyuan", "solar-open", "grok-2"],
        patterns: &[QWEN_2],
        ..PLAIN
    },
    Rules {
        names: &["qwen35"],
        patterns: &[QWEN_3_5],
        composes: true,
        ..PLAIN
    },
    Rules {
        names: &["tekken"],
        patterns: &[TEKKEN],
        ignore_merges: true,
        ..PLAIN
    },
    Rules {
        names: &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        patterns: &[GPT_4O],
        ..PLAIN
    },
    Rules {
        names: &["tiny_aya", "cohere2moe"],
        patterns: &[GROUPS_OF_DIGITS, GPT_4O],
        ..PLAIN
    },
    Rules {
        names: &["deepseek-llm"],
        patterns: &DEEPSEEK_LLM,
        ..PLAIN
    },
    Rules {
        names: &["deepseek-coder"],
        patterns: &DEEPSEEK_CODER,
        ..PLAIN
    },
    Rules {
        names: &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        patterns: &DEEPSEEK_3,
        ..PLAIN
    },
    Rules {
        names: &["falcon"],
        patterns: &[r"[\p{P}\$\+<=>\^~\|`]+", GPT_2, THREE_DIGITS],
        ..PLAIN
    },
    Rules {
        names: &["default"],
        patterns: &[r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", THREE_DIGITS],
        ..PLAIN
    },
    Rules {
        names: &["bloom", "poro-chat", "gpt3-finnish"],
        patterns: &[BLOOM],
        ..PLAIN
    },
    Rules {
        names: &["viking"],
        patterns: &[BLOOM, DIGIT],
        ..PLAIN
    },
    Rules {
        names: &["bailingmoe", "bailingmoe2", "llada-moe"],
        patterns: &[BAILING],
        ..PLAIN
    },
    Rules {
        names: &["seed-coder"],
        patterns: &[SEED_CODER],
        ..PLAIN
    },
    Rules {
        names: &["minicpm5"],
        patterns: &[r"\p{N}{1,3}", MINICPM_5],
        ignore_merges: true,
        ..PLAIN
    },
];

const DIGIT: &str = r"\p{N}";

const THREE_DIGITS: &str = "[0-9][0-9][0-9]";

/// From the right: 1 234 567.
const GROUPS_OF_DIGITS: &str = r"\d{1,3}(?=(?:\d{3})*\b)";

const GPT_2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

const LLAMA_3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const QWEN_2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const QWEN_3_5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const DEEPSEEK_LLM: [&str; 6] = [
    r"[\r\n]",
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
    r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    r"\s+$",
    r"[一-龥ࠀ-一가-퟿]+",
    r"\p{N}+",
];

const DEEPSEEK_CODER: [&str; 5] = [
    r"[\r\n]",
    r"\s?\p{L}+",
    r"\s?\p{P}+",
    r"[一-龥ࠀ-一가-퟿]+",
    r"\p{N}",
];

const DEEPSEEK_3: [&str; 3] = [
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
];

const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";

const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";

const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";

const MINICPM_5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokenizers::SplitDelimiterBehavior;
    use tokenizers::pre_tokenizers::split::{Split, SplitPattern};

    use super::*;

    #[test]
    fn names_are_unique_and_patterns_compile() {
        let mut names = BTreeSet::new();
        for rules in RULES {
            assert!(!rules.names.is_empty() && !rules.patterns.is_empty());
            assert!(rules.names.iter().all(|name| names.insert(name)));
            for pattern in rules.patterns {
                let regex = SplitPattern::Regex((*pattern).to_owned());
                let split = Split::new(regex, SplitDelimiterBehavior::Isolated, false);
                assert!(split.is_ok(), "{pattern}");
            }
        }
        assert!(find("unheard-of").is_none());
    }
}
