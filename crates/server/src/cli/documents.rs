//! `ibid add`, `list`, `remove` and `status`: the documents of a collection.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::Body;
use axum::http::{Method, Request, header};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use library::{Scan, SourceFile};
use serde_json::{Map, Value, json};

use crate::cli::api::{Api, Whereabouts};
use crate::cli::upload;
use crate::config::Config;

/// What `ibid add` understands.
#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// What is noted about each of them, for filters; may be repeated
    #[arg(long = "attribute", value_name = "KEY=VALUE", value_parser = attribute)]
    attributes: Vec<(String, Value)>,
    /// Files and folders, and URLs where the server fetches them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

/// What `ibid list` understands.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// Print the files as JSON, with their languages and attributes
    #[arg(long)]
    json: bool,
}

/// What `ibid status` understands.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    whereabouts: Whereabouts,
}

/// What `ibid remove` understands.
#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// Ids or names of files, as `ibid list` prints them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

/// How often one asks how far indexing is.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Items of one page of a list.
const PAGE: usize = 100;

/// Reads `KEY=VALUE`; a value that is a number, `true` or `false` is taken for one.
fn attribute(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write it as KEY=VALUE, such as year=2024")?;
    let value = match serde_json::from_str(value) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(value.to_owned()),
    };
    Ok((key.to_owned(), value))
}

#[tokio::main]
pub(super) async fn add(config: &Config, args: &AddArgs) -> anyhow::Result<()> {
    let api = Api::open(config, &args.whereabouts)?;
    let (urls, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        args.paths.iter().partition(|path| is_url(path));
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    let scan = match paths.is_empty() {
        true => Scan::default(),
        false => library::scan(&paths, config.limits.upload_bytes as u64)?,
    };
    for problem in &scan.problems {
        eprintln!("passed over {}: {}", problem.path.display(), problem.reason);
    }
    let bar = bar("sending", (urls.len() + scan.files.len()) as u64);
    let mut added = Vec::new();
    for url in urls.iter().filter_map(|url| url.to_str()) {
        bar.set_message(url.to_owned());
        added.push(add_url(&api, args, url).await?);
        bar.inc(1);
    }
    for file in &scan.files {
        bar.set_message(file.filename.clone());
        added.push(add_one(&api, args, file).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    wait_until_indexed(&api, &args.whereabouts.collection).await?;
    report_added(&api, &args.whereabouts.collection, &added).await
}

fn is_url(path: &Path) -> bool {
    let text = path.to_str().unwrap_or_default();
    text.starts_with("http://") || text.starts_with("https://")
}

async fn add_url(api: &Api, args: &AddArgs, url: &str) -> anyhow::Result<String> {
    let attributes: Map<String, Value> = args.attributes.iter().cloned().collect();
    let body = json!({"url": url, "attributes": attributes});
    let request = Request::post(files_path(&args.whereabouts.collection))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))?;
    let added = api.send(request).await;
    id_of(&added.with_context(|| format!("cannot add {url}"))?)
}

async fn add_one(api: &Api, args: &AddArgs, file: &SourceFile) -> anyhow::Result<String> {
    let path = files_path(&args.whereabouts.collection);
    let request = upload::request(&path, file, &args.attributes).await?;
    let added = api.send(request).await;
    id_of(&added.with_context(|| format!("cannot add {}", file.source))?)
}

fn id_of(added: &Value) -> anyhow::Result<String> {
    let id = added["id"].as_str();
    Ok(id.context("the reply holds no id")?.to_owned())
}

async fn wait_until_indexed(api: &Api, collection: &str) -> anyhow::Result<()> {
    let bar = bar("indexing", 0);
    loop {
        let counts = collection_of(api, collection).await?["file_counts"].take();
        let left = counts["in_progress"].as_u64().unwrap_or(0);
        bar.set_length(bar.length().unwrap_or(0).max(left));
        bar.set_position(bar.length().unwrap_or(0) - left);
        if left == 0 {
            bar.finish_and_clear();
            return Ok(());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn report_added(api: &Api, collection: &str, added: &[String]) -> anyhow::Result<()> {
    let mut failed = 0;
    for id in added {
        let path = format!("{}/{id}", files_path(collection));
        let file = api.call(Method::GET, &path).await?;
        if file["status"] == "failed" {
            failed += 1;
            let reason = file["last_error"]["message"].as_str().unwrap_or_default();
            println!("{} cannot be read: {reason}", text(&file["filename"]));
        }
    }
    match added.len() - failed {
        1 => println!("1 document in {collection:?}"),
        several => println!("{several} documents in {collection:?}"),
    }
    if failed > 0 && failed == added.len() {
        bail!("none of the files can be read");
    }
    Ok(())
}

#[tokio::main]
pub(super) async fn list(config: &Config, args: &ListArgs) -> anyhow::Result<()> {
    let api = Api::open(config, &args.whereabouts)?;
    let files = all_files(&api, &args.whereabouts.collection).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&files)?);
        return Ok(());
    }
    for file in files {
        let reason = file["last_error"]["message"].as_str().unwrap_or_default();
        println!(
            "{}  {:<11}  {}  {reason}",
            text(&file["id"]),
            text(&file["status"]),
            text(&file["filename"]),
        );
    }
    Ok(())
}

#[tokio::main]
pub(super) async fn remove(config: &Config, args: &RemoveArgs) -> anyhow::Result<()> {
    let api = Api::open(config, &args.whereabouts)?;
    let files = all_files(&api, &args.whereabouts.collection).await?;
    for wanted in &args.files {
        let is_wanted = |file: &&Value| file["id"] == **wanted || file["filename"] == **wanted;
        let found: Vec<&Value> = files.iter().filter(is_wanted).collect();
        if found.is_empty() {
            let collection = &args.whereabouts.collection;
            bail!("{collection:?} holds no file {wanted:?}; `ibid list` shows what it holds");
        }
        for file in found {
            let path = format!("/v1/files/{}", text(&file["id"]));
            let deleted = api.call(Method::DELETE, &path).await?;
            let purged = &deleted["purged"];
            println!(
                "removed {}: {} bytes, {} bytes of text, {} passages",
                text(&file["filename"]),
                purged["bytes"],
                purged["text_bytes"],
                purged["passages"],
            );
        }
    }
    Ok(())
}

#[tokio::main]
pub(super) async fn status(config: &Config, args: &StatusArgs) -> anyhow::Result<()> {
    let api = Api::open(config, &args.whereabouts)?;
    println!("{}", api.place());
    for collection in all(&api, "/v1/vector_stores").await? {
        let counts = &collection["file_counts"];
        println!(
            "  {}: {} completed, {} in progress, {} failed, {} bytes of text{}",
            text(&collection["name"]),
            counts["completed"],
            counts["in_progress"],
            counts["failed"],
            collection["usage_bytes"],
            match collection["index"] == "rebuilding" {
                true => ", index being built again",
                false => "",
            },
        );
    }
    Ok(())
}

async fn collection_of(api: &Api, collection: &str) -> anyhow::Result<Value> {
    let path = format!("/v1/vector_stores/{}", upload::path_segment(collection));
    api.call(Method::GET, &path).await
}

async fn all_files(api: &Api, collection: &str) -> anyhow::Result<Vec<Value>> {
    all(api, &files_path(collection)).await
}

/// A list from its first page to its last.
async fn all(api: &Api, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page = format!("{path}?order=asc&limit={PAGE}{after}");
        let mut page = api.call(Method::GET, &page).await?;
        if let Value::Array(data) = page["data"].take() {
            items.extend(data);
        }
        if page["has_more"] != true {
            return Ok(items);
        }
        after = format!("&after={}", text(&page["last_id"]));
    }
}

fn files_path(collection: &str) -> String {
    format!(
        "/v1/vector_stores/{}/files",
        upload::path_segment(collection)
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A bar that hides when no terminal is there to show it.
fn bar(what: &str, length: u64) -> ProgressBar {
    let template = format!("{what} {{bar:30}} {{pos}}/{{len}} {{wide_msg}}");
    let style = ProgressStyle::with_template(&template).expect("the template is well-formed");
    ProgressBar::new(length).with_style(style)
}
