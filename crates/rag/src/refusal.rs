//! Saying honestly that the documents do not answer.

use engine::ModelInfo;

use crate::answer::{Answer, AnsweredBy};
use crate::evidence::Evidence;
use crate::language::Language;
use crate::piece::Piece;
use crate::search::Found;
use crate::sources::Source;

/// The longest title that a refusal names, in characters.
const MAX_TITLE: usize = 80;

/// An answer that says that there is none, in the language of the question, how much was
/// searched, and what came nearest. The model is not asked.
pub(crate) fn refuse(
    found: &Found,
    evidence: Evidence,
    choices: usize,
    model: &ModelInfo,
) -> Answer {
    let piece = Piece {
        text: no_answer(found),
        ..Piece::default()
    };
    Answer::ready(AnsweredBy::Refusal, &[piece], None, choices, model)
        .with_search(Some(evidence), Vec::new())
}

/// The sentence in place of a text of which no sentence has a source.
pub(crate) fn withheld(found: &Found) -> String {
    let language = Language::of(&found.query.question);
    let said = match language {
        Language::English => {
            "The documents do not support what the model wrote, so it is withheld."
        }
        Language::Korean => "모델이 쓴 답은 문서에서 근거를 찾을 수 없어 보여 드리지 않습니다.",
        Language::Japanese => "モデルの答えは文書に根拠がないため、表示しません。",
        Language::Chinese => "文档不支持模型写的内容，因此不予显示。",
    };
    format!("{said}{}", nearest_sentence(language, found))
}

fn no_answer(found: &Found) -> String {
    let language = Language::of(&found.query.question);
    let said = declined(language);
    format!("{said}{}", nearest_sentence(language, found))
}

/// That the documents do not answer.
pub(crate) fn declined(language: Language) -> &'static str {
    match language {
        Language::English => "The documents do not answer this question.",
        Language::Korean => "문서에서 이 질문에 대한 답을 찾을 수 없습니다.",
        Language::Japanese => "文書にはこの質問の答えが見つかりません。",
        Language::Chinese => "文档中找不到这个问题的答案。",
    }
}

/// That there was nothing to answer from, for a model that only names sources.
pub(crate) fn nothing_to_name(language: Language) -> &'static str {
    match language {
        Language::English => {
            "This model answers from documents only, and none were searched for this."
        }
        Language::Korean => {
            "이 모델은 문서에 있는 내용으로만 답합니다. 이번에는 찾아본 문서가 없습니다."
        }
        Language::Japanese => "このモデルは文書からのみ答えます。今回は検索した文書がありません。",
        Language::Chinese => "本模型只根据文档回答，而这次没有检索任何文档。",
    }
}

/// How much was searched, and what came nearest.
fn nearest_sentence(language: Language, found: &Found) -> String {
    let searched = found.searched;
    if searched == 0 {
        return match language {
            Language::English => " There are no documents to search yet.",
            Language::Korean => " 아직 찾아볼 문서가 없습니다.",
            Language::Japanese => "検索する文書がまだありません。",
            Language::Chinese => "还没有可检索的文档。",
        }
        .into();
    }
    match (language, nearest(found)) {
        (Language::English, Some(title)) => {
            let passages = if searched == 1 { "passage" } else { "passages" };
            format!(" Of {searched} {passages} searched, the nearest is in “{title}”.")
        }
        (Language::English, None) => {
            format!(" Nothing in the {searched} passages searched matches it.")
        }
        (Language::Korean, Some(title)) => {
            format!(" 단락 {searched}개를 찾아보았고, 가장 가까운 내용은 「{title}」에 있습니다.")
        }
        (Language::Korean, None) => {
            format!(" 단락 {searched}개를 찾아보았지만 관련된 내용이 없습니다.")
        }
        (Language::Japanese, Some(title)) => {
            format!("{searched}件の段落を検索し、最も近い内容は「{title}」にあります。")
        }
        (Language::Japanese, None) => {
            format!("{searched}件の段落を検索しましたが、関連する内容はありません。")
        }
        (Language::Chinese, Some(title)) => {
            format!("检索了{searched}个段落，最接近的内容在《{title}》中。")
        }
        (Language::Chinese, None) => format!("检索了{searched}个段落，没有相关内容。"),
    }
}

fn nearest(found: &Found) -> Option<String> {
    let hit = found.hits.first()?;
    let source = Source::from(hit);
    let title = source.title();
    let line = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(MAX_TITLE).collect();
    Some(if short.len() < line.len() {
        format!("{short}…")
    } else {
        short
    })
}
