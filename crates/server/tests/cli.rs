//! The program `ibid`, run as a person would run it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program, with a data folder of its own and nothing from the environment.
fn ibid(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ibid"));
    command
        .current_dir(data_dir)
        .env_clear()
        .arg("--data-dir")
        .arg(data_dir);
    command
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// A serving program; killed without a warning when dropped.
struct Serving {
    child: Child,
    address: String,
    announced: String,
}

impl Serving {
    fn start(data_dir: &Path, paths: &[&Path]) -> Self {
        let paths: Vec<&str> = paths
            .iter()
            .map(|path| path.to_str().expect("Unicode"))
            .collect();
        Self::start_with(data_dir, &paths)
    }

    fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = ibid(data_dir);
        command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut announced = String::new();
        while !announced.contains("messages") {
            let line = lines.next().expect("an announcement").expect("text");
            announced += &(line + "\n");
        }
        let address = announced.split_once("http://").expect("an address").1;
        let address = address.lines().next().expect("a line").to_owned();
        Self {
            child,
            address,
            announced,
        }
    }

    /// The body that `request` (method, path, headers) with `body` is answered with.
    fn exchange(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let length = body.len();
        write!(
            stream,
            "{request}\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("the request is taken");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        reply
    }

    fn upload(&self, filename: &str, text: &str) -> String {
        let part = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\r\n{text}\r\n--x--\r\n"
        );
        let request = "POST /v1/vector_stores/default/files HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x";
        self.exchange(request, &part)
    }

    fn ask(&self, question: &str) -> String {
        let body = format!(
            r#"{{"model":"default","messages":[{{"role":"user","content":"{question}"}}]}}"#
        );
        self.exchange(
            "POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json",
            &body,
        )
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serve_without_paths_answers_from_the_examples() {
    let data_dir = TempDir::new().expect("a folder");
    let serving = Serving::start(data_dir.path(), &[]);
    assert!(
        serving.announced.contains("default (10 documents)"),
        "{}",
        serving.announced
    );
    let answer = serving.ask("What is retrieval-augmented generation?");
    assert!(
        answer.contains("retrieval-augmented-generation.en.md"),
        "{answer}"
    );
    let answer = serving.ask("어텐션이란 무엇인가요?");
    assert!(answer.contains("transformer-models.ko.md"), "{answer}");
}

#[test]
fn serve_with_a_path_holds_just_that_and_what_was_uploaded() {
    let (data_dir, documents) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    drop(Serving::start(data_dir.path(), &[]));
    fs::write(
        documents.path().join("kiln.md"),
        "# Kiln\n\nThe kiln is fired at 1180 degrees.",
    )
    .expect("written");
    let serving = Serving::start(data_dir.path(), &[documents.path()]);
    assert!(
        serving.announced.contains("default (1 documents)"),
        "{}",
        serving.announced
    );
    assert!(
        serving
            .ask("At what temperature is the kiln fired?")
            .contains("1180")
    );
}

#[test]
fn an_acknowledged_upload_survives_a_kill() {
    let data_dir = TempDir::new().expect("a folder");
    let serving = Serving::start(data_dir.path(), &[]);
    let reply = serving.upload("가마.md", "가마의 온도는 1180도이다.");
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    drop(serving);
    let serving = Serving::start(data_dir.path(), &[]);
    let answer = serving.ask("가마의 온도는 몇 도인가요?");
    assert!(answer.contains("1180도"), "{answer}");
}

#[test]
fn ask_prints_the_answer_and_its_footnotes() {
    let (data_dir, documents) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let path = documents.path().join("가마.txt");
    fs::write(&path, "가마는 아침 여섯 시에 불을 땐다. 온도는 1180도이다.").expect("written");
    let output = ibid(data_dir.path())
        .args(["ask", "가마의 온도는 몇 도인가요?"])
        .arg(&path)
        .output()
        .expect("runs");
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1180도이다. [1]"), "{said}");
    assert!(said.contains("[1] 가마.txt, characters 20–32"), "{said}");
}

#[test]
fn files_are_read_in_a_child_and_bad_ones_cost_only_themselves() {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../extract/tests/data");
    let (data_dir, documents) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let good = ["law-cid.pdf", "org-ko.xlsx", "minimal-ko.docx"];
    let bad = ["entity-bomb.docx", "encrypted.pdf"];
    for name in good.iter().chain(&bad) {
        let from = Path::new(DATA).join(name);
        fs::copy(from, documents.path().join(name)).expect("copied");
    }
    let search = |query: &str| {
        let output = ibid(data_dir.path())
            .args(["search", query])
            .arg(documents.path())
            .output()
            .expect("runs");
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let found = search("근로시간");
    assert!(found.contains("law-cid.pdf, page 1"), "{found}");
    assert!(search("김하늘의 내선 번호").contains("minimal-ko.docx"));
    assert!(search("부서").contains("org-ko.xlsx, page 1"));
}

#[test]
fn search_and_models_say_what_there_is() {
    let data_dir = TempDir::new().expect("a folder");
    let output = ibid(data_dir.path())
        .args(["search", "self-attention", "--top-k", "1"])
        .output()
        .expect("runs");
    assert!(
        said(&output).contains("transformer-models.en.md"),
        "{}",
        said(&output)
    );
    let output = ibid(data_dir.path()).arg("models").output().expect("runs");
    assert!(
        said(&output).contains("context                  2048 tokens"),
        "{}",
        said(&output)
    );
}

#[test]
fn mistakes_are_explained() {
    let data_dir = TempDir::new().expect("a folder");
    let check = |arguments: &[&str], expected: &str| {
        let output = ibid(data_dir.path())
            .args(arguments)
            .output()
            .expect("runs");
        let said = said(&output);
        assert!(!output.status.success(), "{arguments:?} went well: {said}");
        assert!(
            said.contains(expected),
            "{arguments:?}: {said:?} does not say {expected:?}"
        );
    };
    let (empty, binary) = (
        data_dir.path().join("empty"),
        data_dir.path().join("binary"),
    );
    fs::create_dir_all(&empty).expect("created");
    fs::create_dir_all(&binary).expect("created");
    fs::write(binary.join("photo.bin"), [0, 159, 146, 150, 0, 0, 7]).expect("written");
    fs::write(data_dir.path().join("broken.gguf"), b"GGUF\x03\0\0\0").expect("written");
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    check(
        &["serve", "--listen", "127.0.0.1:0", "no/such/folder"],
        "no/such/folder",
    );
    check(
        &["serve", "--listen", "127.0.0.1:0", &text(&empty)],
        "empty",
    );
    check(
        &["serve", "--listen", "127.0.0.1:0", &text(&binary)],
        "photo.bin",
    );
    check(&["ask", ""], "empty");
    check(&["models", "--model", "broken.gguf"], "broken.gguf");
    check(&["models", "--model", "no-such-model"], "no-such-model");
    check(&["models", "--config", "no.toml"], "no.toml");
    check(&["sevre"], "serve");
}

#[test]
fn documents_are_managed_with_and_without_a_server() {
    let home = TempDir::new().expect("a folder");
    let docs = TempDir::new().expect("a folder");
    fs::write(docs.path().join("tea.md"), "Green tea is steeped.").expect("a file");
    fs::write(docs.path().join("no.png"), b"\x89PNG\r\n\x1a\n\0\0").expect("a file");
    let run = |arguments: &[&str]| {
        let output = ibid(home.path()).args(arguments).output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    let folder = docs.path().to_str().expect("Unicode");
    let check_both = |expected: &str| {
        let added = run(&["add", folder, "--attribute", "year=2024"]);
        assert!(added.contains("cannot be read"), "{added}");
        assert!(added.contains("1 document in"), "{added}");
        let list = run(&["list"]);
        assert_eq!(list.matches("tea.md").count(), 1, "{list}");
        assert!(list.contains("completed    tea.md"), "{list}");
        assert!(list.contains("failed       no.png"), "{list}");
        let status = run(&["status"]);
        assert!(status.contains(expected), "{status}");
        assert!(
            status.contains("default: 1 completed, 0 in progress, 1 failed"),
            "{status}"
        );
    };
    check_both("no server is running");
    let serving = Serving::start(home.path(), &[]);
    check_both(&format!("server http://{}", serving.address));
    fs::write(docs.path().join("tea.md"), "Green tea is new.").expect("a file");
    check_both("server http");
    let removed = run(&["remove", "tea.md", "no.png"]);
    assert!(
        removed.contains("removed tea.md: 17 bytes, 17 bytes of text, 1 passages"),
        "{removed}"
    );
    let output = ibid(home.path())
        .args(["remove", "tea.md"])
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    assert!(
        said(&output).contains("holds no file \"tea.md\""),
        "{}",
        said(&output)
    );
    let backup = home.path().join("backup.sqlite");
    run(&["backup", backup.to_str().expect("Unicode")]);
    run(&["add", folder]);
    let export = home.path().join("default.ibid");
    let export = export.to_str().expect("Unicode");
    assert!(run(&["export", "default", export]).contains("2 files"));
    let output = ibid(home.path())
        .args(["import", export])
        .output()
        .expect("it runs");
    assert!(
        said(&output).contains("stop the server"),
        "{}",
        said(&output)
    );
    drop(serving);
    run(&["import", export, "--name", "copy"]);
    let list = run(&["list", "--collection", "copy"]);
    assert!(list.contains("completed    tea.md"), "{list}");
}

#[test]
fn folders_are_watched_while_serving() {
    let home = TempDir::new().expect("a folder");
    let docs = TempDir::new().expect("a folder");
    fs::write(docs.path().join("tea.md"), "Green tea is steeped.").expect("a file");
    let config = home.path().join("ibid.toml");
    let watch = docs.path().to_str().expect("Unicode").replace('\\', "\\\\");
    let text = format!("[[collections]]\nname = \"drinks\"\nwatch = [\"{watch}\"]\n");
    fs::write(&config, text).expect("a file");
    let serving = Serving::start_with(home.path(), &["--config", "ibid.toml"]);
    let until_listed = |name: &str| {
        let list = "GET /v1/vector_stores/drinks/files?filter=completed HTTP/1.1";
        while !serving.exchange(list, "").contains(name) {
            std::thread::yield_now();
        }
    };
    until_listed("tea.md");
    fs::write(docs.path().join("coffee.md"), "Black coffee is brewed.").expect("a file");
    until_listed("coffee.md");
}
