//! A file as a multipart form that is read from the disk while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Context as _;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use futures_core::Stream;
use library::SourceFile;
use serde_json::{Map, Value};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

use crate::wire::id::random_id;

/// How much of a file is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// The request that uploads `file` and attaches it at `path`, instead of the one that had its
/// name before.
pub(super) async fn request(
    path: &str,
    file: &SourceFile,
    attributes: &[(String, Value)],
) -> anyhow::Result<Request<Body>> {
    let opened = File::open(&file.source).await;
    let opened = opened.with_context(|| format!("cannot read {}", file.source))?;
    let length = opened.metadata().await?.len();
    let boundary = random_id("ibid-");
    let attributes: Map<String, Value> = attributes.iter().cloned().collect();
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"replace\"\r\n\r\ntrue\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"attributes\"\r\n\r\n{}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n",
        Value::Object(attributes),
        quoted(&file.filename),
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let size = head.len() as u64 + length + tail.len() as u64;
    let form = Form {
        head: Some(head.into()),
        file: opened,
        left: length,
        tail: Some(tail.into()),
    };
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(
            header::CONTENT_TYPE,
            format!("multipart/form-data; boundary={boundary}"),
        )
        .header(header::CONTENT_LENGTH, size);
    Ok(request.body(Body::from_stream(form))?)
}

/// A name as one segment of a path.
pub(super) fn path_segment(name: &str) -> String {
    let mut segment = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                segment.push(byte.into());
            }
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

/// A file name within quotes, as browsers send it.
fn quoted(filename: &str) -> String {
    filename.replace('"', "%22").replace(['\r', '\n'], " ")
}

struct Form {
    head: Option<Bytes>,
    file: File,
    /// Bytes of the file that are still to be sent; it may grow or shrink meanwhile.
    left: u64,
    tail: Option<Bytes>,
}

impl Stream for Form {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(head) = this.head.take() {
            return Poll::Ready(Some(Ok(head)));
        }
        if this.left == 0 {
            return Poll::Ready(this.tail.take().map(Ok));
        }
        let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(this.left).unwrap_or(usize::MAX))];
        let mut buffer = ReadBuf::new(&mut piece);
        match Pin::new(&mut this.file).poll_read(context, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) => {}
        }
        let length = buffer.filled().len();
        if length == 0 {
            let shrunk = io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut short");
            return Poll::Ready(Some(Err(shrunk)));
        }
        piece.truncate(length);
        this.left -= length as u64;
        Poll::Ready(Some(Ok(piece.into())))
    }
}
