//! What a registry of the tests lists: tags, repositories, referrers.

use serde_json::Value;
use serde_json::json;

use crate::server::Reply;
use crate::server::Request;
use crate::server::State;

impl State {
    /// The repositories, but for the one that stands for each.
    pub(super) fn catalog(&self, request: &Request) -> Reply {
        if !self.habits.catalog {
            return Reply::error(404, "NOT_FOUND");
        }
        let mut names: Vec<&str> = self.manifests.keys().map(|(repository, _)| repository.as_str()).collect();
        names.dedup();
        names.retain(|name| !name.is_empty());
        self.list(request, "repositories", &names)
    }

    pub(super) fn tags(&self, request: &Request, repository: &str) -> Reply {
        let mut own = self.manifests.keys().filter(|(known, _)| known == repository).peekable();
        if own.peek().is_none() {
            return Reply::error(404, "NAME_UNKNOWN");
        }
        let tags: Vec<&str> = own.map(|(_, name)| name.as_str()).filter(|name| !name.contains(':')).collect();
        self.list(request, "tags", &tags)
    }

    /// A page of a list.
    fn list(&self, request: &Request, key: &str, all: &[&str]) -> Reply {
        let start: usize = request.path.split("start=").nth(1).map_or(0, |start| start.parse().unwrap());
        let page = if self.habits.page == 0 { all.len().max(1) } else { self.habits.page };
        let shown: Vec<&&str> = all.iter().skip(start).take(page).collect();
        let path = request.path.split('?').next().unwrap();
        let next = format!("<{path}?start={}>; rel=\"next\"", start + page);
        let mut headers = vec![("content-type", "application/json")];
        if start + page < all.len() {
            headers.push(("link", &next));
        }
        Reply::with(200, &headers, json!({"name": "x", key: shown}).to_string())
    }

    pub(super) fn referrers(&self, request: &Request, subject: &str) -> Reply {
        if !self.habits.referrers {
            return Reply::error(404, "NOT_FOUND");
        }
        let of_subject =
            self.manifests.iter().filter(|((_, name), _)| name.starts_with("sha256:")).filter_map(|((_, name), it)| {
                let document: Value = serde_json::from_slice(&it.1).unwrap();
                (document["subject"]["digest"] == subject).then(|| {
                json!({"mediaType": it.0, "digest": name, "size": it.1.len(), "artifactType": document["artifactType"]})
            })
            });
        let all: Vec<Value> = of_subject.collect();
        let start: usize = request.path.split("start=").nth(1).map_or(0, |start| start.parse().unwrap());
        let page = if self.habits.page == 0 { all.len().max(1) } else { self.habits.page };
        let shown: Vec<&Value> = all.iter().skip(start).take(page).collect();
        let path = request.path.split('?').next().unwrap();
        let next = format!("<{path}?start={}>; rel=\"next\"", start + page);
        let mut headers = vec![("content-type", "application/vnd.oci.image.index.v1+json")];
        if start + page < all.len() {
            headers.push(("link", &next));
        }
        let index = json!({"schemaVersion": 2, "mediaType": headers[0].1, "manifests": shown});
        Reply::with(200, &headers, index.to_string())
    }
}
