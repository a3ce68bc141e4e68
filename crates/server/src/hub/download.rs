//! One file of the hub into the cache: resumed where it broke off, and whole when it has its name.

use std::fs::{self, File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::body::HttpBody;
use axum::http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::connection::Hub;
use crate::answering::hex;

/// How long nothing may come.
const STALL: Duration = Duration::from_secs(30);

/// Connections that bring nothing new, one after the other, before it is given up.
const MOST_VAIN: usize = 5;

/// How far a file is: bytes that are there, and bytes that it has.
pub(super) type OnBytes<'a> = dyn FnMut(u64, u64) + Send + 'a;

/// Downloads what is at `url` into the folder of blobs, unless it is there.
pub(super) async fn download(
    hub: &Hub,
    url: &str,
    blobs: &Path,
    on_bytes: &mut OnBytes<'_>,
) -> anyhow::Result<PathBuf> {
    let Described { name, bytes } = described(&hub.head(url).await?)?;
    let blob = blobs.join(&name);
    if blob.is_file() {
        on_bytes(bytes, bytes);
        return Ok(blob);
    }
    let partial = blobs.join(format!("{name}.incomplete"));
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = options
        .open(&partial)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    file.try_lock()
        .with_context(|| format!("{} is being downloaded already", partial.display()))?;
    let (mut had, mut vain) = (file.seek(SeekFrom::End(0))?, 0);
    while had != bytes {
        let outcome = go_on(hub, url, &mut file, bytes, on_bytes).await;
        let has = file.stream_position()?;
        vain = if has > had { 0 } else { vain + 1 };
        had = has;
        match outcome {
            Err(error) if vain >= MOST_VAIN => return Err(error),
            Ok(()) if has != bytes && vain >= MOST_VAIN => {
                bail!("{url} is said to have {bytes} bytes, and has {has}")
            }
            _ => {}
        }
    }
    if let Err(error) = check_content(&mut file, &name) {
        // It would never become right.
        fs::remove_file(&partial)?;
        return Err(error.context(format!("what came from {url} is damaged; try again")));
    }
    file.sync_all()?;
    fs::rename(&partial, &blob)?;
    Ok(blob)
}

/// A file by its headers.
struct Described {
    /// Its hash: what it is called in the cache.
    name: String,
    bytes: u64,
}

/// Large files are kept elsewhere, and the hub tells their hash and size in headers of its own.
fn described(headers: &HeaderMap) -> anyhow::Result<Described> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let tag = text("x-linked-etag").or_else(|| text(header::ETAG.as_str()));
    let tag = tag.context("the hub does not say which content a file has")?;
    let name = tag.trim_start_matches("W/").trim_matches('"');
    let is_hash = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    ensure!(is_hash, "the hub calls a content {tag:?}, which is no hash");
    let bytes = text("x-linked-size").or_else(|| text(header::CONTENT_LENGTH.as_str()));
    let bytes = bytes.and_then(|bytes| bytes.parse().ok());
    Ok(Described {
        name: name.to_owned(),
        bytes: bytes.context("the hub does not say how large a file is")?,
    })
}

/// One connection: appends what comes to what is there.
async fn go_on(
    hub: &Hub,
    url: &str,
    file: &mut File,
    bytes: u64,
    on_bytes: &mut OnBytes<'_>,
) -> anyhow::Result<()> {
    let mut has = file.stream_position()?;
    if has > bytes {
        has = restart(file)?;
    }
    let response = hub.get(url, has).await?;
    if response.status() != StatusCode::PARTIAL_CONTENT {
        has = restart(file)?;
    }
    let mut body = response.into_body();
    loop {
        let frame = timeout(
            STALL,
            poll_fn(|context| Pin::new(&mut body).poll_frame(context)),
        );
        let Some(frame) = frame.await.context("nothing comes any more")? else {
            return Ok(());
        };
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        has += data.len() as u64;
        ensure!(has <= bytes, "{url} has more than {bytes} bytes");
        file.write_all(&data)?;
        on_bytes(has, bytes);
    }
}

fn restart(file: &mut File) -> io::Result<u64> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))
}

/// Names of 64 digits are SHA-256 of the content. Others are Git's, of small files.
fn check_content(file: &mut File, name: &str) -> anyhow::Result<()> {
    if name.len() != 64 {
        return Ok(());
    }
    file.seek(SeekFrom::Start(0))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let is = hex(&hash.finalize());
    ensure!(is == name.to_ascii_lowercase(), "its SHA-256 is {is}");
    Ok(())
}
