//! Whom a request is from. A proxy that is trusted tells it in `X-Forwarded-For` or `Forwarded`; what anybody else says there
//! counts for nothing, or whoever likes would be somebody else with each request.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header::FORWARDED};
use ipnet::IpNet;

/// The header that most proxies write.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request is from, of whoever sent it to `peer`.
///
/// Each proxy adds to the end whom it has heard. So the last is believed if the peer is trusted, the one before if the last is
/// trusted as well, and so on: whatever the sender had put there before stands behind the first who is not.
pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut from = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(from) {
        return from;
    }
    for told in told(headers).into_iter().rev() {
        // Somebody whose name is not told is behind the one that told so.
        let Some(address) = told else { return from };
        from = address;
        if !is_trusted(from) {
            break;
        }
    }
    from
}

/// The addresses that are told, the one nearest to the sender first; none for one that is hidden or no address.
fn told(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = |name: &str| -> Vec<String> {
        let all = headers.get_all(name).iter();
        // What can't be read stands for somebody unknown.
        all.map(|value| value.to_str().unwrap_or_default().to_owned()).collect()
    };
    let simple = lines(X_FORWARDED_FOR);
    if !simple.is_empty() {
        return simple.iter().flat_map(|line| line.split(',')).map(address).collect();
    }
    let hops = lines(FORWARDED.as_str());
    hops.iter()
        .flat_map(|line| line.split(','))
        .map(|hop| {
            let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
            let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
            address(node.trim().trim_matches('"'))
        })
        .collect()
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    fn from(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        of(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_proxy_is_believed() {
        let told = [("x-forwarded-for", "192.0.2.7")];
        assert_eq!(from("198.51.100.1", &told), "198.51.100.1");
        assert_eq!(from("10.0.0.1", &told), "192.0.2.7");
        assert_eq!(from("::ffff:10.0.0.1", &told), "192.0.2.7");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_sender_had_put_there_counts_for_nothing() {
        let told = [("x-forwarded-for", "203.0.113.9, 192.0.2.7"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(from("10.0.0.1", &told), "192.0.2.7");
        assert_eq!(from("10.0.0.1", &[("x-forwarded-for", "203.0.113.9, what, 10.0.0.2")]), "10.0.0.2");
        assert_eq!(from("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]), "10.0.0.3");
    }

    #[test]
    fn both_headers_are_read() {
        for (told, expected) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=\"[2001:db8:cafe::17]:4711\";proto=https", "2001:db8:cafe::17"),
            ("for=203.0.113.9, by=10.0.0.2;for=192.0.2.43:80", "192.0.2.43"),
            ("for=192.0.2.43, for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(from("10.0.0.1", &[("forwarded", told)]), expected, "{told}");
        }
    }

    proptest! {
        /// Whatever a sender writes, the proxy before the API tells who it is.
        #[test]
        fn a_sender_is_who_the_proxy_says(forged in "[ -~]{0,60}", sender: [u8; 4]) {
            let sender = IpAddr::from(sender);
            prop_assume!(!matches!(sender, IpAddr::V4(v4) if v4.octets()[0] == 10));
            let line = format!("{forged}, {sender}");
            prop_assert_eq!(from("10.0.0.1", &[("x-forwarded-for", &line)]), sender.to_string());
        }
    }
}
