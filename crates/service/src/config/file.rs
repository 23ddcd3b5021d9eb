//! The configuration file (TOML).

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{
    ConfigError, Dialect, Encryption, LimitOverrides, ListenAddress, LocalSocket, Overrides,
    ServerName, ShareSpec, ShareSpecError, Signing,
};
use crate::text::line_of;

/// Largest configuration file that is read: thousands of shares fit.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    // Parsed below: an error inside an array would carry the array's line.
    listen: Option<Vec<Spanned<String>>>,
    data_dir: Option<PathBuf>,
    server_name: Option<ServerName>,
    comment: Option<String>,
    signing: Option<Signing>,
    encryption: Option<Encryption>,
    min_dialect: Option<Dialect>,
    max_dialect: Option<Dialect>,
    local_socket: Option<PathBuf>,
    administrators_group: Option<String>,
    #[serde(default)]
    limits: LimitOverrides,
    #[serde(default)]
    share: Vec<RawShare>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShare {
    name: Spanned<String>,
    path: PathBuf,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    encrypt: bool,
    comment: Option<Spanned<String>>,
    max_uses: Option<super::overrides::NonZero>,
}

impl Overrides {
    /// Reads a configuration file. Relative paths in it start at its directory.
    ///
    /// # Errors
    /// Names the file, the line, and what is allowed there.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let read_error = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(read_error)?;
        file.take(MAX_FILE_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(read_error)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            let problem = format!("longer than {MAX_FILE_BYTES} bytes");
            return Err(ConfigError::File {
                path: path.to_owned(),
                line: 1,
                problem,
            });
        }
        Self::from_toml(&text, path)
    }

    /// Parses the text of a configuration file; `path` is where it came from.
    ///
    /// # Errors
    /// As [`Overrides::from_file`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let problem = |span: Range<usize>, problem: String| ConfigError::File {
            path: path.to_owned(),
            line: line_of(text, span.start),
            problem,
        };
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            problem(
                error.span().unwrap_or(0..0),
                error.message().trim().to_owned(),
            )
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        let mut listen = raw
            .listen
            .as_ref()
            .map(|addresses| Vec::with_capacity(addresses.len()));
        for address in raw.listen.iter().flatten() {
            let parsed: Result<ListenAddress, _> = address.get_ref().parse();
            let parsed = parsed.map_err(|error| problem(address.span(), error.to_string()))?;
            listen.get_or_insert_default().push(parsed);
        }
        let mut shares: Vec<ShareSpec> = Vec::with_capacity(raw.share.len());
        for raw in raw.share {
            let span = raw.name.span();
            if shares
                .iter()
                .any(|share| share.has_name(raw.name.get_ref()))
            {
                let name = raw.name.get_ref();
                return Err(problem(span, format!("a second share named {name:?}")));
            }
            let share = raw.into_share(base);
            shares.push(share.map_err(|error| problem(span, error.to_string()))?);
        }
        Ok(Self {
            listen,
            data_dir: raw.data_dir.map(|directory| base.join(directory)),
            server_name: raw.server_name,
            comment: raw.comment,
            signing: raw.signing,
            encryption: raw.encryption,
            min_dialect: raw.min_dialect,
            max_dialect: raw.max_dialect,
            local_socket: raw
                .local_socket
                .map(|path| LocalSocket::from(path.into_os_string()).beneath(base)),
            administrators_group: raw.administrators_group,
            shares,
            limits: raw.limits,
        })
    }
}

impl RawShare {
    fn into_share(self, base: &Path) -> Result<ShareSpec, ShareSpecError> {
        if self.path.as_os_str().is_empty() {
            return Err(ShareSpecError::NoPath(self.name.into_inner()));
        }
        let mut share = ShareSpec::new(self.name.get_ref(), &base.join(self.path))?;
        share.read_only = self.read_only;
        share.encrypt = self.encrypt;
        share.max_uses = self.max_uses.map(|uses| uses.get());
        if let Some(comment) = &self.comment {
            share.set_comment(comment.get_ref())?;
        }
        Ok(share)
    }
}
