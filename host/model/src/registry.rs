//! The address of a registry.

mod url;

pub use crate::registry::url::RegistryUrl;

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use crate::endpoint::Endpoint;
use crate::oci::OciPlace;
use crate::oci::PLACE_GRAMMAR;
use crate::oci::SCHEME;
use crate::path;
use crate::path::PathError;
use crate::text::SafeText;

/// A registry: a URL, a directory with the packages, or a place in a registry of images (spec sections 1 and 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registry {
    /// An `http(s)` address.
    Url(RegistryUrl),
    /// An `http(s)` address where the API of the official MCP registry is spoken (spec section 13). It ends in its version.
    Official(RegistryUrl), // INVARIANT: made by `of_url`.
    /// An `oci` address.
    Oci(OciPlace),
    /// An absolute path.
    Directory(PathBuf), // INVARIANT: absolute; made by `from_text`.
}

/// A text does not name a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It is neither the URL of a registry nor a path.
    #[error(
        "`{found}` is not a registry: expected an https:// URL (http:// only for localhost), {PLACE_GRAMMAR}, or a directory"
    )]
    Neither {
        /// The text, without parts that may be secret.
        found: SafeText,
    },
    /// It names no place in a registry of images, although it begins so.
    #[error("`{found}` is not a registry: {problem}\n  expected {PLACE_GRAMMAR}")]
    Oci {
        /// The text, without parts that may be secret.
        found: SafeText,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is an address of the official registry, or of one like it, and not where its API begins.
    #[error("`{found}` is not where a registry like the official one is asked: write `{url}`")]
    Official {
        /// The text.
        found: SafeText,
        /// The address that it most likely means.
        url: String,
    },
    /// It looks like a host, but could also be the name of a folder.
    #[error(
        "`{found}` has no scheme: write `{url}` for a registry behind a URL, or `./{found}` for a folder of that name"
    )]
    NoScheme {
        /// The text.
        found: SafeText,
        /// The URL that it most likely means.
        url: String,
    },
    /// It is a path that can't be resolved.
    #[error(transparent)]
    Path(PathError),
}

impl Registry {
    /// The registry that is used when none is named.
    pub const DEFAULT: &str = "https://registry.mcp-hub.info";
    /// Its host.
    const DEFAULT_HOST: &str = "registry.mcp-hub.info";
    /// The host of the official MCP registry.
    const OFFICIAL_HOST: &str = "registry.modelcontextprotocol.io";
    /// Where the API of the official registry begins, in the version that smcp speaks.
    const OFFICIAL_PATH: &str = "/v0.1";
    /// What people would write in its place.
    const OFFICIAL_BESIDE: [&str; 3] = ["/v0", "/v0/servers", "/v0.1/servers"];

    /// Reads a registry. A text with `oci://` is a place in a registry of images, one with another `://` a URL; any other
    /// text is a directory, resolved by [`path::absolute`]. A text that looks like a host is refused: a user who forgot
    /// `https://` does not mean a folder.
    ///
    /// # Errors
    /// When an address has another scheme, no host, credentials, a query or a fragment; when a path can't be resolved.
    pub fn from_text(text: &str, base: &Path, home: Option<&Path>) -> Result<Self, RegistryError> {
        let found = || SafeText::quoted(&without_secrets(text));
        let fail = || RegistryError::Neither { found: found() };
        if text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME)) {
            let place = OciPlace::parse(text).map_err(|problem| RegistryError::Oci { found: found(), problem });
            return place.map(Self::Oci);
        }
        if text.contains("://") {
            return RegistryUrl::parse(text).ok_or_else(fail).and_then(Self::of_url);
        }
        if let Some(scheme) = missing_scheme(text) {
            return Err(RegistryError::NoScheme { found: found(), url: format!("{scheme}://{}", found()) });
        }
        path::absolute(Path::new(text), base, home).map(Self::Directory).map_err(|error| match error {
            PathError::Variable { .. } | PathError::Relative { .. } => RegistryError::Path(error),
            PathError::Empty | PathError::Nul | PathError::NoHome | PathError::OtherHome => fail(),
        })
    }

    /// Tells the two APIs behind URLs apart, by the address alone: no answer of a server could change which is spoken. That
    /// of the official registry begins at a path that ends in its version; the official registry itself has no other.
    fn of_url(url: RegistryUrl) -> Result<Self, RegistryError> {
        if url.path().ends_with(Self::OFFICIAL_PATH) {
            return Ok(Self::Official(url));
        }
        let is_official = url.endpoint().host() == Self::OFFICIAL_HOST;
        let stem = Self::OFFICIAL_BESIDE.iter().find_map(|end| url.path().strip_suffix(end));
        let Some(stem) = stem.or(is_official.then_some("")) else { return Ok(Self::Url(url)) };
        let meant = RegistryUrl::parse(&format!("{}{stem}{}", url.endpoint(), Self::OFFICIAL_PATH));
        match meant {
            Some(meant) if is_official && url.path().is_empty() => Ok(Self::Official(meant)),
            Some(meant) => {
                Err(RegistryError::Official { found: SafeText::quoted(url.as_str()), url: meant.to_string() })
            }
            None => Err(RegistryError::Neither { found: SafeText::quoted(url.as_str()) }),
        }
    }

    /// Replaces a directory by its canonical path, which `resolve` returns, so that one directory has one name whatever
    /// links lead to it (spec section 1). One that does not exist, and an address, stay as they are.
    pub fn resolve(&mut self, resolve: impl Fn(&Path) -> Option<PathBuf>) {
        if let Self::Directory(path) = self
            && let Some(canonical) = resolve(path).filter(|path| path.is_absolute())
        {
            *path = canonical;
        }
    }

    /// The server that answers for it; `None` for a directory.
    pub const fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Url(url) | Self::Official(url) => Some(url.endpoint()),
            Self::Oci(place) => Some(place.host().endpoint()),
            Self::Directory(_) => None,
        }
    }

    /// Whether what it says of a package is its own word. A registry of images has bytes alone: whoever may write there
    /// has written what stands in them.
    pub const fn states_facts(&self) -> bool {
        match self {
            Self::Url(_) | Self::Official(_) | Self::Directory(_) => true,
            Self::Oci(_) => false,
        }
    }

    /// How it has the owner of a namespace prove that it is his, by the rules of the official registry: by an account of
    /// GitHub, or by a domain. It is proven when a version is published, and never again.
    pub fn namespace_proof(&self, namespace: &str) -> Option<&'static str> {
        match self {
            Self::Official(_) if namespace.starts_with("io.github.") => Some("github"),
            Self::Official(_) => Some("domain"),
            Self::Url(_) | Self::Directory(_) | Self::Oci(_) => None,
        }
    }

    /// Whether its packages are MCP bundles: zip archives with a manifest of their own in them.
    pub const fn has_mcp_bundles(&self) -> bool {
        match self {
            Self::Official(_) => true,
            Self::Url(_) | Self::Directory(_) | Self::Oci(_) => false,
        }
    }
}

/// Returns an address without the parts that may hold a password or a token: before an `@`, and after a `?` or a `#`.
/// Only for messages.
pub fn without_secrets(address: &str) -> String {
    let (place, hidden) = address.find(['?', '#']).map_or((address, ""), |at| (address.split_at(at).0, "?…"));
    let (scheme, rest) =
        place.split_once("//").map_or((String::new(), place), |(scheme, rest)| (format!("{scheme}//"), rest));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}…@{host}{hidden}"),
        None => format!("{scheme}{rest}{hidden}"),
    }
}

/// Returns the scheme that is missing from a text that most likely means a URL: `registry.corp.example/x`, `10.0.0.1`,
/// `localhost:8080`. A folder of such a name is written `./…`.
fn missing_scheme(text: &str) -> Option<&'static str> {
    let authority = text.split('/').next().filter(|first| !first.is_empty() && !first.starts_with(['.', '~']))?;
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let has_port = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let top = host.rsplit_once('.').map(|(_, top)| top);
    let is_name = top.is_some_and(|top| top.len() > 1 && top.bytes().all(|letter| letter.is_ascii_alphabetic()));
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    let loopback = matches!(host, "localhost" | "127.0.0.1");
    let looks_so = host.split('.').all(label) && (has_port || is_name || is_address || loopback);
    looks_so.then_some(if loopback { "http" } else { "https" })
}

impl Default for Registry {
    /// The registry at [`Registry::DEFAULT`].
    fn default() -> Self {
        Self::Url(RegistryUrl::default())
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) | Self::Official(url) => url.fmt(f),
            Self::Oci(place) => place.fmt(f),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn possible_secrets_are_left_out_of_messages() {
        for (text, shown) in [
            ("https://r.example/a", "https://r.example/a"),
            ("https://me:hunter2@r.example/a", "https://…@r.example/a"),
            ("https://me:hunt@er2@r.example", "https://…@r.example"),
            ("https://me:hun/ter2@r.example", "https://…@r.example"),
            ("https://r.example/a?token=hunter2", "https://r.example/a?…"),
            ("https://r.example/a#hunter2", "https://r.example/a?…"),
            // A redirect may leave out the scheme, or name one that is not ours.
            ("//me:hunter2@r.example/a?hunter2", "//…@r.example/a?…"),
            ("/a?signature=hunter2", "/a?…"),
            ("ftp:me:hunter2@r.example", "…@r.example"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        for scheme in ["https", "oci"] {
            let text = format!("{scheme}://me:hunter2@r.example");
            let error = Registry::from_text(&text, Path::new("/"), None).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{scheme}://…@r.example` is not a registry")), "{error}");
        }
    }

    #[test]
    fn addresses_have_one_normal_form() {
        let read = |text| Registry::from_text(text, Path::new("/base"), Some(Path::new("/home/me")));
        assert_eq!(read(Registry::DEFAULT), Ok(Registry::default()));
        let cases = [
            ("https://registry.mcp-hub.info", Some("https://registry.mcp-hub.info")),
            ("HTTPS://Registry.MCP-hub.info:443/", Some("https://registry.mcp-hub.info")),
            ("https://r.example/a/b/", Some("https://r.example/a/b")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://r.example", None),
            ("ftp://r.example", None),
            ("https://", None),
            ("https://user@r.example", None),
            ("https://r.example?x", None),
            ("https://r.example:99999", None),
            ("", None),
            ("registry", Some("/base/registry")),
            ("./registry/", Some("/base/registry")),
            ("../registry", Some("/registry")),
            ("../../../registry/./x/..", Some("/registry")),
            ("~/registry", Some("/home/me/registry")),
            ("~you/registry", None),
            ("/srv/registry", Some("/srv/registry")),
            ("./registry.corp.example", Some("/base/registry.corp.example")),
            ("registry-1.2", Some("/base/registry-1.2")),
            ("registry.d", Some("/base/registry.d")),
            ("my registry.example", Some("/base/my registry.example")),
            ("$HOME/registry", None),
            ("oci://R.Example:443/mcp/packages/", Some("oci://r.example/mcp/packages")),
            ("oci://r.example", Some("oci://r.example")),
            ("oci://localhost:5000/mcp", Some("oci://localhost:5000/mcp")),
            ("OCI://r.example/x", None),
            ("oci://", None),
            ("oci:///x", None),
            ("oci://me:hunter2@r.example/x", None),
            ("oci://r.example/Upper", None),
            ("oci://r.example/x:1", None),
            ("oci://r.example/x?y", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).ok().map(|registry| registry.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_official_api_is_known_by_its_address() {
        let read = |text| Registry::from_text(text, Path::new("/"), None);
        for (text, shown) in [
            ("https://registry.modelcontextprotocol.io", "https://registry.modelcontextprotocol.io/v0.1"),
            ("https://Registry.ModelContextProtocol.io:443/", "https://registry.modelcontextprotocol.io/v0.1"),
            ("https://registry.modelcontextprotocol.io/v0.1", "https://registry.modelcontextprotocol.io/v0.1"),
            ("https://mcp.corp.example/a/v0.1/", "https://mcp.corp.example/a/v0.1"),
            ("http://localhost:8080/v0.1", "http://localhost:8080/v0.1"),
        ] {
            let registry = read(text).unwrap();
            assert!(matches!(registry, Registry::Official(_)), "{text}");
            assert_eq!((registry.to_string().as_str(), registry.has_mcp_bundles()), (shown, true), "{text}");
        }
        for text in
            ["https://r.example", "https://r.example/v0.1/x", "https://r.example/v0.10", "https://r.example/av0.1"]
        {
            assert!(matches!(read(text), Ok(Registry::Url(_))), "{text}");
        }
        for (text, url) in [
            ("https://registry.modelcontextprotocol.io/v0", "https://registry.modelcontextprotocol.io/v0.1"),
            ("https://registry.modelcontextprotocol.io/docs", "https://registry.modelcontextprotocol.io/v0.1"),
            ("https://mcp.corp.example/a/v0.1/servers", "https://mcp.corp.example/a/v0.1"),
            ("https://mcp.corp.example/v0/servers/", "https://mcp.corp.example/v0.1"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.ends_with(&format!("write `{url}`")), "{error}");
        }
    }

    #[test]
    fn a_host_without_its_scheme_is_not_taken_for_a_folder() {
        for (text, url) in [
            ("registry.corp.example", "https://registry.corp.example"),
            ("registry.corp.example/mcp", "https://registry.corp.example/mcp"),
            ("registry:5000", "https://registry:5000"),
            ("10.1.2.3", "https://10.1.2.3"),
            ("localhost:8080", "http://localhost:8080"),
            ("localhost", "http://localhost"),
        ] {
            let error = Registry::from_text(text, Path::new("/"), None).unwrap_err().to_string();
            assert!(error.contains(&format!("write `{url}`")), "{error}");
            assert!(error.contains(&format!("or `./{text}` for a folder")), "{error}");
        }
        let relative = Registry::from_text("./r", Path::new(""), None).unwrap_err();
        assert_eq!(relative.to_string(), "`./r` is relative, and the current folder can't be found");
    }
}
