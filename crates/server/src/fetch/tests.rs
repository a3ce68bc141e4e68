//! Hundreds of ways to ask for what is inside, none of which opens a connection; and the way of a
//! document that may be had.

use std::collections::HashMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::network::Network;
use super::{FetchError, Fetched, Fetcher, MAX_BYTES, exchange};

/// A public address, behind which stands the server of the tests.
const OUTSIDE: &str = "93.184.216.34";

/// Addresses of which none may be opened, and none be redirected to.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3ffe::1",
    "3fff::1",
    "fc00::1",
    "fd00::1",
    "fdff::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "5f00::1",
];

/// URLs that are refused before anything is looked up or opened.
const REFUSED: &[&str] = &[
    // Other schemes, and none.
    "",
    "/",
    "example.org",
    "//example.org/",
    "http:",
    "http:/",
    "http://",
    "http:example.org",
    "http:/example.org",
    "https:///etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://127.0.0.1:25/_HELO",
    "ftp://127.0.0.1/",
    "data:text/plain,hi",
    "javascript:alert(1)",
    "dict://127.0.0.1:11211/stats",
    "ldap://127.0.0.1/",
    "sftp://127.0.0.1/",
    "tftp://127.0.0.1/",
    "ws://127.0.0.1/",
    "wss://127.0.0.1/",
    "jar:http://127.0.0.1/!/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "view-source:http://127.0.0.1/",
    "about:blank",
    "httpx://example.org/",
    "xhttp://example.org/",
    "url:http://127.0.0.1/",
    // Numbers that some take for an address.
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0/",
    "http://127.0.0.1./",
    "http://127.000.000.001/",
    "http://127.0.0.01/",
    "http://0x7F.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f00.1/",
    "http://1.2.3/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://4294967296/",
    "http://999999999999/",
    "http://00000127.0.0.1/",
    "http://3232235521/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://025177524776/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://0251.0376.0251.0376/",
    "http://a.127.0.0.1/",
    "http://example.1/",
    "http://127.0.0.1.0x/",
    "http://1e3/",
    // Letters that some fold into others.
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://ⓛocalhost/",
    "http://lоcalhost/",
    "http://example。org/",
    "http://exa\u{ad}mple.org/",
    "http://한국.example/",
    "http://exa\u{200b}mple.org/",
    "http://ß.example/",
    "http://\u{feff}example.org/",
    // Names and passwords.
    "http://user@example.org/",
    "http://user:pass@example.org/",
    "http://@example.org/",
    "http://:@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1@example.org/",
    "http://example.org%40127.0.0.1/",
    "http://example.org:80@127.0.0.1/",
    "http://a@b@c.example/",
    "http://example.org&@127.0.0.1/",
    "http://user%3apass@example.org/",
    // Backslashes, white space, control characters.
    "http:\\\\127.0.0.1\\",
    "http://example.org\\@127.0.0.1/",
    "http://127.0.0.1\\.example.org/",
    "http:/\\127.0.0.1/",
    "\\\\127.0.0.1\\share",
    " http://127.0.0.1/",
    "http://127.0.0.1/ ",
    "http://127.0.0.1\t/",
    "ht\ttp://127.0.0.1/",
    "http://127.0.\n0.1/",
    "http://127.0.0.1\r\n/",
    "http://example.org/\r\nHost: 127.0.0.1",
    "http://example.org/\u{0}",
    "http://exam ple.org/",
    "http://127.0.0.1%00.example.org/",
    "http://127.0.0.1%2f.example.org/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://localhost%2eexample/",
    "http://example.org\u{2028}/",
    "http://\u{a0}127.0.0.1/",
    "\u{1}http://127.0.0.1/",
    // Ports, and what looks like one.
    "http://example.org:22/",
    "http://example.org:8080/",
    "http://example.org:0/",
    "http://example.org:/",
    "http://example.org:080/",
    "http://example.org:65616/",
    "http://example.org:80:80/",
    "http://example.org:-80/",
    "http://example.org:http/",
    "https://example.org:6443/",
    "http://127.0.0.1:11434/",
    "http://[::1]:6379/",
    // What is no name.
    "http://.example.org/",
    "http://example..org/",
    "http://..",
    "http://example.org../",
    "http://exa_mple.org/",
    "http://example.org;127.0.0.1/",
    "http://example.org,127.0.0.1/",
    "http://{host}/",
    "http://$(id)/",
    "http://`id`/",
    "http://*/",
    "http://!/",
    "http://example.org'/",
    // Version 6 in brackets.
    "http://[/",
    "http://]/",
    "http://[]/",
    "http://[::1",
    "http://::1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%eth0]/",
    "http://[127.0.0.1]/",
    "http://[::1]x/",
    "http://[::1].example/",
    "http://[::ffff:0177.0.0.1]/",
    "http://[0:0:0:0:0:0:0:0:1]/",
    "http://[v1.::1]/",
];

/// Which addresses a name has, each time it is asked for; the last for ever.
type Names = HashMap<String, Vec<Vec<IpAddr>>>;

/// What the server answers to a host and a path.
type Replies = Arc<dyn Fn(&str, &str) -> Vec<u8> + Send + Sync>;

/// A network with one server on it, and canaries everywhere else.
struct Stub {
    fetcher: Fetcher,
    opened: Arc<Mutex<Vec<SocketAddr>>>,
    asked: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    async fn new(names: Names, replies: Replies) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = listener.local_addr().expect("an address");
        let opened: Arc<Mutex<Vec<SocketAddr>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let requests = Arc::default();
        tokio::spawn(serve(listener, replies, Arc::clone(&requests)));
        let names = Mutex::new(names);
        let (note_opened, note_asked) = (Arc::clone(&opened), Arc::clone(&asked));
        let network = Network {
            look_up: Arc::new(move |name| {
                let found = next(&mut names.lock().expect("no panic"), &name);
                note_asked.lock().expect("no panic").push(name);
                Box::pin(async move { Ok(found) })
            }),
            connect: Arc::new(move |address| {
                note_opened.lock().expect("no panic").push(address);
                Box::pin(TcpStream::connect(server))
            }),
        };
        Stub {
            fetcher: Fetcher::over(network, mozilla_alone(), Duration::from_secs(10)),
            opened,
            asked,
            requests,
        }
    }

    /// The addresses that were opened since the last look.
    fn opened(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut *self.opened.lock().expect("no panic"))
    }

    /// How often a name was looked up since the last look.
    fn asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().expect("no panic")).len()
    }
}

fn mozilla_alone() -> TlsConnector {
    exchange::tls([]).expect("Mozilla's alone")
}

fn next(names: &mut Names, name: &str) -> Vec<IpAddr> {
    let Some(answers) = names.get_mut(name) else {
        return Vec::new();
    };
    match answers.len() {
        1 => answers[0].clone(),
        _ => answers.remove(0),
    }
}

/// Answers every connection with one reply.
async fn serve(listener: TcpListener, replies: Replies, requests: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let host = head.lines().find_map(|line| line.strip_prefix("host: "));
        let reply = replies(host.unwrap_or_default(), &path);
        requests.lock().expect("no panic").push(head);
        // A reply that is too long is not taken to its end.
        let _ = stream.write_all(&reply).await;
        if reply.is_empty() {
            // Never answers; the connection stays open.
            tokio::spawn(async move { stream.read_u8().await });
        }
    }
}

fn ok(more: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut reply =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{more}\r\n").into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
        .into()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn names(pairs: &[(&str, &[&[&str]])]) -> Names {
    let all = |answers: &[&[&str]]| {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| ip(text)).collect();
        answers.iter().map(addresses).collect()
    };
    let pairs = pairs.iter();
    pairs
        .map(|(name, answers)| ((*name).to_owned(), all(answers)))
        .collect()
}

/// Written as a host.
fn host(address: &str) -> String {
    match address.contains(':') {
        true => format!("[{address}]"),
        false => address.to_owned(),
    }
}

fn is_refused(outcome: &Result<Fetched, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Refused(_)))
}

#[tokio::test]
async fn what_is_no_plain_url_opens_nothing() {
    let stub = Stub::new(Names::new(), Arc::new(|_, _| ok("", b"a secret"))).await;
    assert!(REFUSED.len() > 120, "{}", REFUSED.len());
    for url in REFUSED {
        let outcome = stub.fetcher.fetch(url).await;
        assert!(is_refused(&outcome), "{url:?}: {outcome:?}");
        assert_eq!(stub.opened(), [], "{url:?}");
        assert_eq!(stub.asked(), 0, "{url:?}");
    }
}

#[tokio::test]
async fn what_is_inside_opens_nothing() {
    for inside in INSIDE {
        // A name may have an address inside alone, or twice.
        let names = names(&[("inside.example", &[&[inside, inside]])]);
        let stub = Stub::new(names, Arc::new(|_, _| ok("", b"a secret"))).await;
        for scheme in ["http", "https"] {
            for host in [
                host(inside),
                "inside.example".into(),
                "INSIDE.example.".into(),
            ] {
                let url = format!("{scheme}://{host}/latest/meta-data");
                let outcome = stub.fetcher.fetch(&url).await;
                assert!(is_refused(&outcome), "{url}: {outcome:?}");
                assert_eq!(stub.opened(), [], "{url}");
            }
        }
    }
}

#[tokio::test]
async fn redirects_are_checked_like_anything_else() {
    let forms = REFUSED
        .iter()
        .filter(|url| url.contains("://") && url.is_ascii());
    let forms = forms.filter(|url| !url.contains(|c: char| c.is_control() || c == ' '));
    let inside = INSIDE
        .iter()
        .map(|inside| format!("http://{}/", host(inside)));
    let other = [
        "//127.0.0.1/",
        "//[::1]/",
        "http://inside.example/",
        "file:/etc/passwd",
    ];
    let other = other.into_iter().map(str::to_owned);
    let targets: Vec<String> = forms
        .map(|url| (*url).to_owned())
        .chain(inside)
        .chain(other)
        .collect();
    let names = names(&[
        ("outside.example", &[&[OUTSIDE]]),
        ("inside.example", &[&["10.0.0.1"]]),
    ]);
    let locations = targets.clone();
    let reply = move |_: &str, path: &str| {
        let (status, target) = path[1..].split_once('/').expect("as asked below");
        let target: usize = target.parse().expect("a number");
        redirect(status.parse().expect("a number"), &locations[target])
    };
    let stub = Stub::new(names, Arc::new(reply)).await;
    let mut checked = 0;
    for status in [301, 302, 303, 307, 308] {
        for (at, target) in targets.iter().enumerate() {
            let url = format!("http://outside.example/{status}/{at}");
            let outcome = stub.fetcher.fetch(&url).await;
            assert!(is_refused(&outcome), "{target:?}: {outcome:?}");
            let outside = SocketAddr::new(ip(OUTSIDE), 80);
            assert_eq!(stub.opened(), [outside], "{target:?}");
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
}

#[tokio::test]
async fn a_name_gets_no_second_answer() {
    let rebinding: &[&[&str]] = &[&[OUTSIDE], &["127.0.0.1"]];
    let names = names(&[
        ("flips.example", rebinding),
        ("mixed.example", &[&["10.0.0.1", OUTSIDE, "::1"]]),
    ]);
    let reply = |_: &str, path: &str| match path {
        "/again" => redirect(302, "http://flips.example/secret"),
        _ => ok("", b"public"),
    };
    let stub = Stub::new(names, Arc::new(reply)).await;
    // The address that was checked is the one that is opened, and it is asked for once.
    let outcome = stub.fetcher.fetch("http://flips.example/again").await;
    assert!(is_refused(&outcome), "{outcome:?}");
    assert_eq!(stub.opened(), [SocketAddr::new(ip(OUTSIDE), 80)]);
    assert_eq!(stub.asked(), 2);
    // Of several addresses only those outside are opened.
    let fetched = stub.fetcher.fetch("http://mixed.example/").await;
    assert_eq!(fetched.expect("it is public").bytes, b"public");
    assert_eq!(stub.opened(), [SocketAddr::new(ip(OUTSIDE), 80)]);
}

#[tokio::test]
async fn a_document_is_fetched() {
    let names = names(&[("docs.example", &[&[OUTSIDE]])]);
    let reply = |_: &str, path: &str| match path {
        "/wiki/%EC%9D%B8%EA%B3%B5%EC%A7%80%EB%8A%A5?x=1" => ok("", "한국어".as_bytes()),
        "/1" => redirect(301, "/2"),
        "/2" => redirect(308, "folder/3#part"),
        "/folder/3" => redirect(302, "//docs.example/folder/4.html?q"),
        "/folder/4.html?q" => ok("set-cookie: a=b\r\n", b"<p>There."),
        "/loop" => redirect(302, "/loop"),
        "/chunked" => {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec()
        }
        "/broken" => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec(),
        "/nonsense" => b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
    };
    let stub = Stub::new(names, Arc::new(reply)).await;
    let fetch = async |path: &str| {
        stub.fetcher
            .fetch(&format!("http://docs.example{path}"))
            .await
    };

    let fetched = fetch("/wiki/인공지능?x=1").await.expect("it is there");
    assert_eq!(fetched.filename, "인공지능");
    assert_eq!(fetched.bytes, "한국어".as_bytes());
    let fetched = fetch("/1").await.expect("three redirects");
    assert_eq!(fetched.url, "http://docs.example/folder/4.html?q");
    assert_eq!(
        (fetched.filename.as_str(), &*fetched.bytes),
        ("4.html", &b"<p>There."[..])
    );
    assert_eq!(fetch("/chunked").await.expect("it is there").bytes, b"abc");
    for path in ["/broken", "/nonsense", "/absent"] {
        let outcome = fetch(path).await;
        assert!(
            matches!(outcome, Err(FetchError::Failed(_))),
            "{path}: {outcome:?}"
        );
    }
    assert!(is_refused(&fetch("/loop").await));
    for request in stub.requests.lock().expect("no panic").iter() {
        let request = request.to_lowercase();
        let told = ["cookie", "authorization", "referer", "a=b"];
        assert!(!told.iter().any(|word| request.contains(word)), "{request}");
    }
}

#[tokio::test]
async fn too_much_and_too_slow_are_given_up() {
    let names = names(&[("docs.example", &[&[OUTSIDE]])]);
    let packed = |bytes: usize| {
        let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(&vec![b'a'; bytes]).expect("in memory");
        packing.finish().expect("in memory")
    };
    let reply = move |_: &str, path: &str| match path {
        "/most" => ok("", &vec![b'a'; MAX_BYTES]),
        "/more" => ok("", &vec![b'a'; MAX_BYTES + 1]),
        "/packed" => ok("content-encoding: gzip\r\n", &packed(1000)),
        "/bomb" => ok("content-encoding: gzip\r\n", &packed(MAX_BYTES * 5)),
        "/unknown" => ok("content-encoding: br\r\n", b"abc"),
        "/headers" => ok(&"x-a: b\r\n".repeat(1000), b"abc"),
        _ => Vec::new(),
    };
    let mut stub = Stub::new(names, Arc::new(reply)).await;
    let url = |path: &str| format!("http://docs.example{path}");
    let most = stub.fetcher.fetch(&url("/most")).await;
    assert_eq!(most.expect("just so much").bytes.len(), MAX_BYTES);
    let packed = stub.fetcher.fetch(&url("/packed")).await;
    assert_eq!(packed.expect("a little").bytes.len(), 1000);
    for path in ["/more", "/bomb"] {
        let outcome = stub.fetcher.fetch(&url(path)).await;
        assert!(matches!(outcome, Err(FetchError::TooLarge)), "{path}");
    }
    for path in ["/unknown", "/headers"] {
        let outcome = stub.fetcher.fetch(&url(path)).await;
        assert!(
            matches!(outcome, Err(FetchError::Failed(_))),
            "{path}: {outcome:?}"
        );
    }
    stub.fetcher.max_time = Duration::from_millis(100);
    for scheme in ["http", "https"] {
        let outcome = stub
            .fetcher
            .fetch(&format!("{scheme}://docs.example/never"))
            .await;
        assert!(
            matches!(outcome, Err(FetchError::Failed(_))),
            "{scheme}: {outcome:?}"
        );
    }
}
