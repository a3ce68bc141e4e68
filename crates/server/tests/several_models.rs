//! Several models side by side: where they are found, and when they are loaded.

use std::fs;
use std::path::{Path, PathBuf};

use server::config::{Config, ModelConfig};
use server::engine::{Event, Message, Prompt, Request, Role};
use server::startup;
use tempfile::TempDir;

/// A folder of models: one that can be used, one that cannot, and what is no model.
fn models_dir() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let fixture = "../engine-candle/tests/fixtures/text/bytes-model";
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture);
    let model = folder.path().join("bytes-2.5");
    fs::create_dir(&model).expect("made");
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(fixture.join(file), model.join(file)).expect("copied");
    }
    fs::write(folder.path().join("broken.gguf"), b"GGUF\x03\0\0\0").expect("written");
    fs::write(folder.path().join("notes.txt"), "no model").expect("written");
    folder
}

fn config(models_dir: &TempDir, path: Option<PathBuf>) -> Config {
    Config {
        model: ModelConfig {
            path,
            threads: Some(1),
            ..ModelConfig::default()
        },
        models_dir: Some(models_dir.path().to_owned()),
        ..Config::default()
    }
}

fn names(config: &Config) -> Vec<String> {
    let engines = startup::load_engines(config).expect("the models are good");
    let names = engines.iter().map(|engine| engine.model().name.clone());
    names.collect()
}

#[test]
fn a_folder_of_models_is_served_by_their_names() {
    let folder = models_dir();
    assert_eq!(names(&config(&folder, None)), [bundled::NAME, "bytes-2.5"]);
    let model = folder.path().join("bytes-2.5");
    assert_eq!(
        names(&config(&folder, Some(model))),
        ["bytes-2.5", "built-in"]
    );
}

#[test]
fn a_model_is_loaded_when_it_is_asked_for() {
    let folder = models_dir();
    let engines = startup::load_engines(&config(&folder, None)).expect("the models are good");
    let engine = &engines[1];
    assert!(engine.load().is_idle());
    let request = Request {
        prompt: Prompt {
            messages: vec![Message::new(Role::User, "Hello?")],
            ..Prompt::default()
        },
        max_tokens: Some(3),
        ..Request::default()
    };
    let mut stream = engine.generate(request.clone()).expect("it is loaded");
    let mut last = None;
    while let Some(event) = stream.next_blocking() {
        last = Some(event.expect("no error"));
    }
    assert!(matches!(last, Some(Event::Done { .. })), "{last:?}");
    // Once it is in memory, its files are not needed any more.
    fs::remove_dir_all(folder.path().join("bytes-2.5")).expect("removed");
    assert!(engine.generate(request).is_ok());
}

#[test]
fn two_models_of_one_name_are_refused() {
    let folder = models_dir();
    let mut config = config(&folder, None);
    config.models.push(ModelConfig {
        name: Some("bytes-2.5".into()),
        path: Some(folder.path().join("bytes-2.5").join("../bytes-2.5")),
        ..ModelConfig::default()
    });
    let refused = startup::load_engines(&config).err().expect("it is refused");
    assert!(refused.to_string().contains("bytes-2.5"), "{refused}");
}
