//! The sandbox, tried by files that do their worst. This program is its own child, hence without
//! the usual harness: called with `__extract` it reads files, otherwise it runs the checks.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use extract::{Document, ExtractError, Extractor, Limits, Sandbox};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let [_, command, memory_bytes, cpu_seconds] = &args[..]
        && command == "__extract"
    {
        let limits = Limits {
            memory_bytes: memory_bytes.parse().expect("a number of bytes"),
            cpu_seconds: cpu_seconds.parse().expect("a number of seconds"),
        };
        extract::serve(limits, misbehave).expect("the parent keeps its pipes open");
        return;
    }
    let checks: &[(&str, fn())] = &[
        ("documents_come_through_whole", documents_come_through_whole),
        (
            "what_kills_a_child_costs_one_file",
            what_kills_a_child_costs_one_file,
        ),
        ("a_child_reaches_nothing", a_child_reaches_nothing),
        ("files_are_read_side_by_side", files_are_read_side_by_side),
        ("a_child_that_cannot_start", a_child_that_cannot_start),
    ];
    for (name, check) in checks {
        let started = Instant::now();
        check();
        println!("sandbox: {name} ... ok ({:.1?})", started.elapsed());
    }
}

/// A reader that does what the file's name says.
fn misbehave(filename: &str, bytes: &[u8]) -> Result<Document, ExtractError> {
    match filename {
        "panic" => panic!("as asked"),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => loop {
            thread::sleep(Duration::from_secs(1));
        },
        "recurse" => plain(&recurse(0).to_string()),
        "recurse in a thread" => plain(&in_a_thread(|| recurse(0)).to_string()),
        "allocate" => plain(&allocate().to_string()),
        "exit" => std::process::exit(0),
        "chatter" => {
            println!("{}", "not a reply ".repeat(100));
            plain("too late")
        }
        "reach" => plain(&reach()),
        name => extract::extract(name, bytes),
    }
}

fn plain(text: &str) -> Result<Document, ExtractError> {
    extract::extract("a.txt", text.as_bytes())
}

fn recurse(depth: u64) -> u64 {
    let frame = [depth; 64];
    match std::hint::black_box(&frame)[7] {
        u64::MAX => 0,
        depth => recurse(depth + 1) + std::hint::black_box(&frame)[9],
    }
}

fn in_a_thread(work: fn() -> u64) -> u64 {
    thread::spawn(work).join().expect("the thread ends")
}

fn allocate() -> usize {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1u8; 16 << 20]);
        std::hint::black_box(&hoard);
    }
}

/// Tries what no reader of files needs, and says what worked.
fn reach() -> String {
    let attempts = [
        ("read a file", std::fs::read("/proc/self/status").is_ok()),
        ("read a folder", std::fs::read_dir("/").is_ok()),
        (
            "write a file",
            std::fs::write("/tmp/ibid-escaped", "x").is_ok(),
        ),
        (
            "connect",
            TcpStream::connect("127.0.0.1:9").is_err_and(is_refused),
        ),
        ("listen", std::net::TcpListener::bind("127.0.0.1:0").is_ok()),
        ("send", std::net::UdpSocket::bind("127.0.0.1:0").is_ok()),
        (
            "run a program",
            Command::new("/proc/self/exe").arg("x").spawn().is_ok(),
        ),
        ("start a thread", thread::spawn(|| 1).join().is_ok()),
    ];
    let worked = attempts.iter().filter(|(_, worked)| *worked);
    let worked: Vec<&str> = worked.map(|(what, _)| *what).collect();
    format!("worked: {}", worked.join(", "))
}

/// Nobody listens, so a connection that was tried has been refused by the other side.
fn is_refused(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ConnectionRefused
}

fn sandbox() -> Sandbox {
    Sandbox {
        limits: Limits {
            memory_bytes: 512 << 20,
            cpu_seconds: 1,
        },
        wall_clock: Duration::from_secs(4),
        ..Sandbox::of_this_program(&["__extract"]).expect("this program has a path")
    }
}

fn documents_come_through_whole() {
    let extractor = Extractor::sandboxed(sandbox());
    let markdown = "# 하나\n\n첫째 문단.\n\n## Two\n\nmore\n".repeat(2000);
    let through = extractor
        .extract("a.md", markdown.as_bytes())
        .expect("it is read");
    let direct = extract::extract("a.md", markdown.as_bytes()).expect("it is read");
    assert_eq!(through.text, direct.text);
    assert_eq!(through.title, direct.title);
    assert_eq!(through.headings, direct.headings);
    assert_eq!(through.pages, direct.pages);
    assert_eq!(through.format.name(), "markdown");
    assert!(through.markdown);
    for (name, bytes) in [
        ("empty.txt", &b" "[..]),
        ("bad.json", b"{\"a\": [}"),
        ("picture.png", b"\x89PNG\r\n\x1A\n\0\0\0\0"),
        ("noise.bin", b"\x01\x02\xFF\xFE\x80\x90\x05\x06"),
    ] {
        let through = extractor
            .extract(name, bytes)
            .expect_err("it cannot be read");
        let direct = extract::extract(name, bytes).expect_err("it cannot be read");
        assert_eq!(through, direct, "{name}");
    }
}

fn what_kills_a_child_costs_one_file() {
    let extractor = Extractor::sandboxed(sandbox());
    let timed_out = ExtractError::TimedOut { seconds: 1 };
    for (name, expected) in [
        ("panic", ExtractError::Crashed),
        ("spin", timed_out.clone()),
        ("sleep", timed_out),
        ("recurse", ExtractError::TooDeep),
        ("recurse in a thread", ExtractError::TooDeep),
        ("allocate", ExtractError::OutOfMemory { mebibytes: 512 }),
        ("exit", ExtractError::Crashed),
        ("chatter", ExtractError::Crashed),
    ] {
        let content = vec![b'x'; 300_000];
        let error = extractor
            .extract(name, &content)
            .expect_err("it does its worst");
        assert_eq!(error, expected, "{name}");
        let next = extractor
            .extract("a.txt", b"good")
            .expect("the next file is read");
        assert_eq!(next.text, "good");
    }
}

#[cfg(target_os = "linux")]
fn a_child_reaches_nothing() {
    let extractor = Extractor::sandboxed(sandbox());
    let reached = extractor.extract("reach", b"").expect("it lives on");
    assert_eq!(reached.text, "worked: start a thread");
}

#[cfg(not(target_os = "linux"))]
fn a_child_reaches_nothing() {}

fn files_are_read_side_by_side() {
    let extractor = Extractor::sandboxed(sandbox());
    thread::scope(|scope| {
        for worker in 0..4 {
            let extractor = &extractor;
            scope.spawn(move || {
                for n in 0..120 {
                    let text = format!("{worker} and {n}");
                    let document = extractor.extract("a.txt", text.as_bytes());
                    assert_eq!(document.expect("it is read").text, text);
                }
            });
        }
    });
}

fn a_child_that_cannot_start() {
    let extractor = Extractor::sandboxed(Sandbox {
        program: PathBuf::from("/nowhere/ibid"),
        ..sandbox()
    });
    let error = extractor.extract("a.txt", b"a").expect_err("no child");
    assert_eq!(error.code(), "server_error");
}
