//! How a container looks names up.

use std::str::FromStr;

/// What /etc/resolv.conf in a container says, and the domain that the names asked from there end in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resolver {
    pub domain: ClusterDomain,
    /// Domains that complete a name which is not in full, in order.
    pub search: Vec<String>,
    /// Names with fewer dots are completed before they are looked up as they are; some resolvers (musl) never complete
    /// others.
    pub ndots: u32,
    pub servers: Vec<String>,
}

/// The cluster's domain, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterDomain {
    pub from: DomainFrom,
    pub name: String,
}

/// How the cluster's domain is known, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DomainFrom {
    /// Somebody gave it.
    Given,
    /// From the search list of /etc/resolv.conf.
    Search,
    /// From the name that DNS has for the address of the API server.
    Reverse,
    /// Nothing told: it is what clusters have unless they are made otherwise.
    Assumed,
}

impl DomainFrom {
    /// How it is known, in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Search => "search",
            Self::Reverse => "reverse",
            Self::Assumed => "assumed",
        }
    }
}

impl FromStr for DomainFrom {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Given, Self::Search, Self::Reverse, Self::Assumed];
        all.into_iter().find(|from| from.as_str() == text).ok_or(())
    }
}

impl Resolver {
    /// From the fields that the script tells: where the domain is from, search list, ndots, name servers.
    #[must_use]
    pub fn from_fields(domain: &str, [from, search, ndots, servers]: [&str; 4]) -> Option<Self> {
        let words = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        Some(Self {
            domain: ClusterDomain { from: from.parse().ok()?, name: domain.to_owned() },
            // A dot alone completes nothing.
            search: words(search).into_iter().filter(|domain| domain != ".").collect(),
            // The default of resolv.conf(5).
            ndots: ndots.parse().unwrap_or(1),
            servers: words(servers),
        })
    }

    /// Whether it completes POD.SERVICE to a name of this namespace, as that of a pod does to which the kubelet tells the
    /// names of the cluster.
    #[must_use]
    pub fn searches(&self, namespace: &str) -> bool {
        let completes =
            |domain: &String| domain.strip_prefix(namespace).is_some_and(|rest| rest.starts_with(".svc."));
        self.search.iter().any(completes)
    }

    /// The domain of the cluster, as the search list has it.
    #[must_use]
    pub fn searched_domain(&self) -> Option<&str> {
        let of = |domain: &'_ String| {
            domain.strip_prefix("svc.").map(str::len).or_else(|| Some(domain.split_once(".svc.")?.1.len()))
        };
        self.search.iter().find_map(|domain| Some(&domain[domain.len() - of(domain)?..]))
    }

    /// "asks 10.96.0.10 and searches corp.example"
    #[must_use]
    pub fn in_words(&self) -> String {
        let or = |words: &[String], none: &str| match words {
            [] => none.to_owned(),
            words => words.join(", "),
        };
        format!("asks {} and searches {}", or(&self.servers, "nobody"), or(&self.search, "nothing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_says_of_names_is_read() {
        let fields = ["search", "rt.svc.cluster.local svc.cluster.local cluster.local", "5", "10.96.0.10"];
        let resolver = Resolver::from_fields("cluster.local", fields).expect("a resolver");
        assert_eq!(resolver.domain.from, DomainFrom::Search);
        assert_eq!(resolver.searched_domain(), Some("cluster.local"));
        assert_eq!(resolver.ndots, 5);
        assert!(resolver.searches("rt") && !resolver.searches("r") && !resolver.searches("other"));
        assert_eq!(
            resolver.in_words(),
            "asks 10.96.0.10 and searches rt.svc.cluster.local, svc.cluster.local, cluster.local"
        );
        let bare = Resolver::from_fields("cluster.local", ["assumed", "", "", ""]).expect("a resolver");
        assert_eq!(bare.in_words(), "asks nobody and searches nothing");
        assert_eq!(bare.searched_domain(), None);
        assert_eq!((bare.ndots, bare.domain.from), (1, DomainFrom::Assumed));
        assert_eq!(Resolver::from_fields("cluster.local", ["elsewhere", "", "", ""]), None);
    }
}
