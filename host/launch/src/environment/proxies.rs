//! What a server that is held to hosts is told of proxies.

use std::ffi::OsStr;

use crate::environment::ServerEnvironment;

/// The variables by which programs find a proxy.
const PROXIES: [&str; 8] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
/// What Node needs to look at them.
const NODE: &str = "NODE_USE_ENV_PROXY";
/// What is reached without a proxy.
const WITHOUT: &str = "localhost,127.0.0.1,[::1]";

impl ServerEnvironment {
    /// Takes away the proxies of the user, to which nothing leads in a network of the server's own; smcp goes on through
    /// them itself. Names the proxy at this port of the loopback, where there is a need of one.
    pub fn lead_out(&mut self, proxy: Option<u16>) {
        for name in PROXIES {
            self.variables.remove(OsStr::new(name));
            self.withheld.retain(|withheld| withheld != name);
        }
        let Some(port) = proxy else { return };
        let [https @ .., _, _, _, _] = PROXIES;
        let url = format!("http://127.0.0.1:{port}");
        let proxies = https.into_iter().map(|name| (name, url.as_str()));
        let others = [("NO_PROXY", WITHOUT), ("no_proxy", WITHOUT), (NODE, "1")];
        self.variables.extend(proxies.chain(others).map(|(name, value)| (name.into(), value.into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_the_user_lead_nowhere() {
        let mut environment = ServerEnvironment::default();
        let set =
            |environment: &mut ServerEnvironment, name: &str| environment.variables.insert(name.into(), "x".into());
        for name in PROXIES {
            set(&mut environment, name);
        }
        set(&mut environment, "PATH");
        environment.withheld = vec!["HTTPS_PROXY".to_owned(), "TZ".to_owned()];
        environment.lead_out(None);
        assert_eq!(environment.variables().collect::<Vec<_>>(), [(OsStr::new("PATH"), OsStr::new("x"))]);
        assert_eq!(environment.withheld(), ["TZ"]);
        environment.lead_out(Some(3128));
        let value = |name: &str| environment.variables.get(OsStr::new(name)).and_then(|value| value.to_str());
        assert_eq!(
            (value("https_proxy"), value("HTTP_PROXY")),
            (Some("http://127.0.0.1:3128"), Some("http://127.0.0.1:3128"))
        );
        assert_eq!((value("ALL_PROXY"), value("no_proxy"), value(NODE)), (None, Some(WITHOUT), Some("1")));
    }
}
