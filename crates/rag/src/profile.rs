//! Profiles: how answers from a collection of some field are to be made.

use crate::language::Language;
use crate::question::{Mode, Question};
use crate::settings::Settings;
use crate::support::SupportPolicy;

/// How answers from a collection are to be made. What is `None` is left to the settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// What the model is told before everything else.
    pub instruction: Localised,
    /// What every answer ends with.
    pub disclaimer: Localised,
    /// See [`Settings::evidence_floor`].
    pub evidence_floor: Option<f32>,
    /// See [`Settings::citation_floor`].
    pub citation_floor: Option<f32>,
    /// See [`Settings::support`]; a question cannot ask for less.
    pub support: Option<SupportPolicy>,
    /// See [`Settings::citation_density`].
    pub citation_density: Option<f32>,
    /// Who may answer; anybody when it is empty.
    pub answers: Vec<Mode>,
}

/// A text in the languages that it was written in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localised {
    /// In English, and for every language without its own.
    pub en: String,
    /// In Korean; the English one stands in for it when empty.
    pub ko: String,
}

impl Localised {
    /// The text for those who ask in `language`; `None` when there is none.
    pub fn in_language(&self, language: Language) -> Option<&str> {
        let text = match language {
            Language::Korean if !self.ko.is_empty() => &self.ko,
            _ => &self.en,
        };
        (!text.is_empty()).then_some(text.as_str())
    }
}

impl Profile {
    /// The settings under this profile.
    pub(crate) fn applied_to(&self, settings: &Settings) -> Settings {
        Settings {
            evidence_floor: self.evidence_floor.unwrap_or(settings.evidence_floor),
            citation_floor: self.citation_floor.unwrap_or(settings.citation_floor),
            citation_density: self.citation_density.unwrap_or(settings.citation_density),
            support: self.support.unwrap_or(settings.support),
            ..settings.clone()
        }
    }

    /// Who is to answer `question`: who it asks for, if that is allowed.
    pub(crate) fn mode(&self, question: &Question) -> Option<Mode> {
        if self.answers.is_empty() || self.answers.contains(&question.mode) {
            return Some(question.mode);
        }
        match question.mode {
            Mode::Auto => self.answers.first().copied(),
            Mode::Model | Mode::Quotes => None,
        }
    }

    /// The profiles that the program brings along.
    pub fn shipped() -> Vec<Profile> {
        let general = Profile {
            name: "general".into(),
            ..Profile::default()
        };
        let medical = Profile {
            name: "medical".into(),
            instruction: Localised {
                en: "You answer from medical documents. Keep to their words. Write doses, units, \
                    intervals and numbers exactly as they do, and name no diagnosis and no \
                    treatment that they do not name. If they do not answer, say so."
                    .into(),
                ko: "의료 문서에 근거해 답합니다. 문서의 표현을 지키고, 용량·단위·간격·수치는 적힌 그대로 \
                    쓰며, 문서에 없는 진단이나 치료는 말하지 않습니다. 문서에 답이 없으면 없다고 말합니다."
                    .into(),
            },
            disclaimer: Localised {
                en: "This repeats what documents say and is no medical advice. Read the sources, \
                    and ask a physician or pharmacist."
                    .into(),
                ko: "이 답은 문서의 내용을 옮긴 것이며 의학적 조언이 아닙니다. 출처를 확인하고 의사나 약사와 \
                    상의하십시오."
                    .into(),
            },
            evidence_floor: Some(0.5),
            citation_floor: Some(0.6),
            support: Some(SupportPolicy::Strict),
            citation_density: Some(0.8),
            answers: Vec::new(),
        };
        let education = Profile {
            name: "education".into(),
            instruction: Localised {
                en: "You help somebody to learn from documents. Explain in simple words what they \
                    say, in their terms, and say where they do not answer. Do not judge the \
                    learner."
                    .into(),
                ko: "문서로 공부하는 사람을 돕습니다. 문서가 말하는 것을 문서의 용어로 쉽게 설명하고, 문서에 \
                    답이 없으면 없다고 말합니다. 학습자를 평가하지 않습니다."
                    .into(),
            },
            disclaimer: Localised {
                en: "A program put this together from the cited sources. Check them before you \
                    rely on it."
                    .into(),
                ko: "이 답은 프로그램이 인용한 자료에서 만든 것입니다. 믿기 전에 출처를 확인하세요.".into(),
            },
            evidence_floor: Some(0.4),
            support: Some(SupportPolicy::Mark),
            ..Profile::default()
        };
        vec![general, medical, education]
    }
}
