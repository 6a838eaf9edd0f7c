//! Which port of a service clients are to ask at.

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Empty where the service has one port only and does not name it.
    pub name: String,
    pub number: u16,
    pub target: Target,
}

/// The port of its pods that a port of a service leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Number(u16),
    /// The container port of this name.
    Name(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "port {number}"),
            Self::Name(name) => write!(f, "the port named {name}"),
        }
    }
}

/// Where a service is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// This port leads to the one that the shards are asked at.
    Leads(ServicePort),
    /// None does, and this one leads where no container listens by its own account: that may be a mistake.
    Nowhere(ServicePort),
    /// Its ports lead to others of the shards: they are asked when those ports are.
    Elsewhere,
}

/// The port of a service to ask at, when shards are asked at `asked` and declare these ports, by name and number.
#[must_use]
pub fn door(ports: &[ServicePort], asked: u16, declared: &[(String, u16)]) -> Door {
    let number = |target: &Target| match target {
        Target::Number(number) => Some(*number),
        Target::Name(name) => declared.iter().find(|(its, _)| its == name).map(|(_, number)| *number),
    };
    let is_declared = |port: &&ServicePort| {
        number(&port.target).is_some_and(|number| declared.iter().any(|(_, its)| *its == number))
    };
    if let Some(port) = ports.iter().find(|port| number(&port.target) == Some(asked)) {
        return Door::Leads(port.clone());
    }
    match ports.iter().find(|port| !is_declared(port)) {
        // Containers that declare no port at all do not say where they listen.
        Some(port) if !declared.is_empty() => Door::Nowhere(port.clone()),
        _ => Door::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, number: u16, target: Target) -> ServicePort {
        ServicePort { name: name.to_owned(), number, target }
    }

    #[test]
    fn the_port_that_leads_to_the_asked_one_is_asked() {
        let declared = [("http".to_owned(), 8080), ("kafka".to_owned(), 9092)];
        let name = |name: &str| Target::Name(name.to_owned());
        let kafka = port("kafka", 9092, name("kafka"));
        let http = port("http", 80, name("http"));
        let number = port("web", 81, Target::Number(8080));
        let lost = port("lost", 82, Target::Number(9999));
        let unnamed = port("unnamed", 83, name("web"));
        for (ports, expected) in [
            (vec![kafka.clone(), http.clone(), number.clone()], Door::Leads(http)),
            (vec![lost.clone(), number.clone()], Door::Leads(number.clone())),
            (vec![kafka.clone(), lost.clone()], Door::Nowhere(lost.clone())),
            (vec![unnamed.clone()], Door::Nowhere(unnamed)),
            (vec![kafka.clone()], Door::Elsewhere),
            (vec![], Door::Elsewhere),
        ] {
            assert_eq!(door(&ports, 8080, &declared), expected, "{ports:?}");
        }
        assert_eq!(door(&[lost], 8080, &[]), Door::Elsewhere, "nobody says where the shards listen");
        assert_eq!(door(std::slice::from_ref(&number), 8080, &[]), Door::Leads(number));
    }
}
