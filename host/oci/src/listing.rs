//! Lists, page by page: a repository's tags, and a registry's repositories.

use serde::Deserialize;

use crate::client::OciClient;
use crate::client::RepositoryAccess;
use crate::error::OciError;
use crate::pull::asking;
use smcp_http::HttpReply;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// A page of either list. A repository without tags has `null`.
#[derive(Deserialize)]
struct ListPage {
    tags: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
}

impl OciClient<'_> {
    /// Lists the tags of the repository; `None` when there is no such repository. What is too long for a tag is left out.
    ///
    /// # Errors
    /// When the registry can't say, or there are more than are read.
    pub fn tags(&self, deadline: &Deadline) -> Result<Option<Vec<String>>, OciError> {
        let path = self.path(&format!("tags/list?n={}", limits::oci::LISTED_AT_ONCE));
        let what = format!("the list of tags of {}", self.repository);
        let absent = |status| status == 404;
        let tags = self.list(path, &what, RepositoryAccess::Pull, absent, |page| page.tags, deadline)?;
        let short = |tags: Vec<String>| tags.into_iter().filter(|tag| tag.len() <= limits::oci::TAG).collect();
        Ok(tags.map(short))
    }

    /// Lists the repositories of the registry; `None` when it has no such list, which is optional.
    ///
    /// # Errors
    /// As [`OciClient::tags`].
    pub fn repositories(&self, deadline: &Deadline) -> Result<Option<Vec<String>>, OciError> {
        let path = format!("/v2/_catalog?n={}", limits::oci::LISTED_AT_ONCE);
        let what = format!("the list of repositories of {}", self.repository.host());
        let absent = |status| matches!(status, 400 | 404 | 405 | 501);
        let found = self.list(path, &what, RepositoryAccess::Catalog, absent, |page| page.repositories, deadline)?;
        let short = |names: Vec<String>| names.into_iter().filter(|it| it.len() <= limits::oci::REPOSITORY).collect();
        Ok(found.map(short))
    }

    fn list(
        &self,
        mut path: String,
        what: &str,
        access: RepositoryAccess,
        is_absent: impl Fn(u16) -> bool,
        items: impl Fn(ListPage) -> Option<Vec<String>>,
        deadline: &Deadline,
    ) -> Result<Option<Vec<String>>, OciError> {
        let too_many = |limit| OciError::TooMany { what: what.to_owned(), limit };
        let mut found = Vec::new();
        for number in 0..limits::oci::LIST_PAGES {
            deadline.check().map_err(Halted::from)?;
            let reply = self.call(&asking(&path, &[("accept", "application/json")], access), deadline)?;
            match reply.status() {
                200 => {}
                status if number == 0 && is_absent(status) => return Ok(None),
                _ => return Err(self.refused(reply, what, access)),
            }
            let next = self.next_path(&reply, what)?;
            let bytes = self.body(reply, limits::oci::MANIFEST, what, deadline)?;
            let page: ListPage = serde_json::from_slice(&bytes).map_err(|error| OciError::Protocol {
                host: self.host(),
                doing: format!("for {what}"),
                found: format!("a document that can't be read: {error}"),
                said: SafeText::default(),
                allowed: "JSON with a list of names",
            })?;
            found.extend(items(page).unwrap_or_default());
            if found.len() > limits::oci::LISTED {
                return Err(too_many(limits::oci::LISTED));
            }
            match next {
                Some(next) => path = next,
                None => return Ok(Some(found)),
            }
        }
        Err(too_many(limits::oci::LISTED))
    }

    /// The path of a further page, which is on the registry itself.
    pub(crate) fn next_path(&self, reply: &HttpReply, what: &str) -> Result<Option<String>, OciError> {
        let Some(link) = reply.headers("link").find_map(next_page) else { return Ok(None) };
        let path = link.strip_prefix(&self.http.server().url.endpoint().to_string()).unwrap_or(&link);
        if path.starts_with("/v2/") {
            return Ok(Some(path.to_owned()));
        }
        Err(OciError::Artefact {
            what: what.to_owned(),
            problem: SafeText::within(&format!("its next page is `{link}`"), limits::QUOTED),
            allowed: "a path below /v2/ of the registry",
        })
    }
}

/// The target of a header `link` that leads to the next page.
fn next_page(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|it| matches!(it.trim(), r#"rel="next""# | "rel=next"));
        is_next.then(|| target.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_named_by_a_link() {
        let cases = [
            (r#"</v2/a/referrers/x?n=1>; rel="next""#, Some("/v2/a/referrers/x?n=1")),
            (r#"</v2/first>; rel="first", </v2/next>; rel=next"#, Some("/v2/next")),
            (r#"</v2/last>; rel="last""#, None),
            ("/v2/x; rel=next", None),
        ];
        for (header, expected) in cases {
            assert_eq!(next_page(header).as_deref(), expected, "{header}");
        }
    }
}
