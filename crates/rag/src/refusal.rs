//! Saying honestly that the documents do not answer.

use engine::ModelInfo;

use crate::answer::{Answer, AnsweredBy};
use crate::evidence::Evidence;
use crate::language::Language;
use crate::search::Found;
use crate::sources::Source;
use crate::writer::Piece;

/// The longest title that a refusal names, in characters.
const MAX_TITLE: usize = 80;

/// An answer that says that there is none, in the language of the question, and names the
/// nearest thing found. The model is not asked.
pub(crate) fn refuse(
    found: &Found,
    evidence: Evidence,
    choices: usize,
    model: &ModelInfo,
) -> Answer {
    let text = refusal(
        Language::of(&found.query.question),
        nearest(found).as_deref(),
    );
    let piece = Piece {
        text,
        citations: Vec::new(),
    };
    Answer::ready(AnsweredBy::Refusal, &[piece], choices, model)
        .with_search(Some(evidence), Vec::new())
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

fn refusal(language: Language, nearest: Option<&str>) -> String {
    match (language, nearest) {
        (Language::English, Some(title)) => {
            format!(
                "The documents do not answer this question. The nearest thing found is “{title}”."
            )
        }
        (Language::English, None) => {
            "The documents do not answer this question: nothing in them matches it.".into()
        }
        (Language::Korean, Some(title)) => format!(
            "문서에서 이 질문에 대한 답을 찾을 수 없습니다. 가장 가까운 내용은 「{title}」에 있습니다."
        ),
        (Language::Korean, None) => {
            "문서에서 이 질문에 대한 답을 찾을 수 없습니다. 관련된 내용도 없습니다.".into()
        }
        (Language::Japanese, Some(title)) => {
            format!("文書にはこの質問の答えが見つかりません。最も近い内容は「{title}」にあります。")
        }
        (Language::Japanese, None) => {
            "文書にはこの質問の答えが見つかりません。関連する内容もありません。".into()
        }
        (Language::Chinese, Some(title)) => {
            format!("文档中找不到这个问题的答案。最接近的内容在《{title}》中。")
        }
        (Language::Chinese, None) => "文档中找不到这个问题的答案，也没有相关内容。".into(),
    }
}
