//! The gate's TUF client behind the command line of the public conformance suite
//! (theupdateframework/tuf-conformance, CLIENT-CLI.md), so that anybody can measure the code that a gate runs.
//!
//! ```text
//! tuf-client --metadata-dir DIR init ROOT
//! tuf-client --metadata-dir DIR --metadata-url URL refresh
//! tuf-client --metadata-dir DIR --metadata-url URL --target-name PATH… --target-base-url URL --target-dir DIR download
//! ```
//!
//! Exit code 0 where all went well, 1 where anything did not. The time is the system's, which the suite moves.

use menshen_trust::durable;
use menshen_trust::tuf::{Client, Http, Store};
use std::error::Error;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Default)]
struct Args {
    metadata_dir: Option<PathBuf>,
    metadata_url: Option<String>,
    target_names: Vec<String>,
    target_dir: Option<PathBuf>,
    target_base_url: Option<String>,
    words: Vec<String>,
}

fn main() -> ExitCode {
    match Args::parse(std::env::args().skip(1)).and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tuf-client: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Args {
    fn parse(mut from: impl Iterator<Item = String>) -> Result<Args, Box<dyn Error>> {
        let mut args = Args::default();
        while let Some(word) = from.next() {
            let mut value = || from.next().ok_or(format!("{word} needs a value after it"));
            match word.as_str() {
                "--metadata-dir" => args.metadata_dir = Some(value()?.into()),
                "--metadata-url" => args.metadata_url = Some(value()?),
                "--target-name" => args.target_names.push(value()?),
                "--target-dir" => args.target_dir = Some(value()?.into()),
                "--target-base-url" => args.target_base_url = Some(value()?),
                option if option.starts_with('-') => return Err(format!("{option} is no option of this").into()),
                _ => args.words.push(word),
            }
        }
        Ok(args)
    }

    fn metadata_dir(&self) -> Result<&Path, Box<dyn Error>> {
        Ok(self.metadata_dir.as_deref().ok_or("--metadata-dir is needed")?)
    }

    fn client(&self) -> Result<Client, Box<dyn Error>> {
        let dir = self.metadata_dir()?;
        let root = fs::read(dir.join("root.json"))?;
        let metadata_url = self.metadata_url.as_deref().ok_or("--metadata-url is needed")?;
        let targets_url = self.target_base_url.as_deref().unwrap_or_default();
        let source = Arc::new(Http::new(metadata_url, targets_url));
        Ok(Client::new(&root, source, Arc::new(Believed(dir.into())))?)
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    match words[..] {
        ["init", root] => {
            durable::replace(&args.metadata_dir()?.join("root.json"), &fs::read(root)?, 0o644)?;
            Ok(())
        }
        ["refresh"] => Ok(args.client()?.refresh(now())?),
        ["download"] => download(args),
        _ => Err("the command is init ROOT, refresh or download".into()),
    }
}

fn download(args: &Args) -> Result<(), Box<dyn Error>> {
    let dir = args.target_dir.as_deref().ok_or("--target-dir is needed")?;
    let mut client = args.client()?;
    client.refresh(now())?;
    for name in &args.target_names {
        let found = client.find(name, now())?.ok_or_else(|| format!("no role lists {name}"))?;
        let path = dir.join(inside(name));
        if File::open(&path).is_ok_and(|file| found.is(file)) {
            continue;
        }
        let mut bytes = Vec::new();
        client.fetch(&found, &mut bytes)?;
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        durable::replace(&path, &bytes, 0o644)?;
    }
    Ok(())
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())
}

/// A target's path as one below the target folder, whatever it holds.
fn inside(name: &str) -> PathBuf {
    Path::new(name).components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// The folder of believed metadata, as the suite wants to see it: one file a role, without versions.
struct Believed(PathBuf);

impl Store for Believed {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.join(name)).ok()
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let versioned = name.split('.').next().is_some_and(|first| first.parse::<u64>().is_ok());
        if versioned || name.contains('/') {
            return Ok(());
        }
        durable::replace(&self.0.join(name), bytes, 0o644)
    }
}
