//! The page's files, as they are in this directory: nothing is built, and nothing is fetched from elsewhere.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    pub path: &'static str,
    pub media_type: &'static str,
    pub text: &'static str,
    tag: LazyLock<String>,
}

impl Asset {
    /// The entity tag: another for another text.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

macro_rules! asset {
    ($path:expr, $media_type:literal, $file:literal) => {
        Asset {
            path: $path,
            media_type: $media_type,
            text: include_str!($file),
            tag: LazyLock::new(|| format!("\"{:016x}\"", xxh3_64(include_bytes!($file)))),
        }
    };
}

macro_rules! script {
    ($file:literal) => {
        asset!(concat!("/dashboard/", $file), "text/javascript; charset=utf-8", $file)
    };
}

pub static ASSETS: [Asset; 13] = [
    asset!("/", "text/html; charset=utf-8", "page.html"),
    asset!("/dashboard/style.css", "text/css; charset=utf-8", "style.css"),
    asset!("/favicon.svg", "image/svg+xml", "favicon.svg"),
    script!("page.js"),
    script!("elements.js"),
    script!("format.js"),
    script!("stream.js"),
    script!("plots.js"),
    script!("cluster.js"),
    script!("eureka_servers.js"),
    script!("list.js"),
    script!("detail.js"),
    script!("override.js"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_is_referred_to_is_there() {
        let known: Vec<&str> = ASSETS.iter().map(|asset| asset.path).collect();
        for asset in &ASSETS {
            for quoted in asset.text.split('"').skip(1).step_by(2) {
                let path = match quoted.strip_prefix("./") {
                    Some(file) if file.ends_with(".js") => format!("/dashboard/{file}"),
                    _ if quoted.starts_with("/dashboard/") || quoted == "/favicon.svg" => quoted.to_owned(),
                    _ => continue,
                };
                assert!(known.contains(&path.as_str()), "{}: {path}", asset.path);
            }
        }
    }
}
