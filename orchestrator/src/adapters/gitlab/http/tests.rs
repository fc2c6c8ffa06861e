//! Links between pages, escapes, and words for failures.

use reqwest::header::{HeaderMap, HeaderValue, LINK};
use url::Url;

use super::{escaped, next, next_link};

#[test]
fn the_next_page_keeps_the_server() {
    let url = Url::parse("https://gitlab.example.com/api/v4/projects/1/jobs?per_page=100").unwrap();
    let mut headers = HeaderMap::new();
    assert_eq!(next(&headers, &url), None);
    headers.insert("x-next-page", HeaderValue::from_static(""));
    assert_eq!(next(&headers, &url), None);
    headers.insert("x-next-page", HeaderValue::from_static("2"));
    assert_eq!(next(&headers, &url).unwrap().query(), Some("per_page=100&page=2"));
    let link =
        "<https://evil.example/x?cursor=a>; rel=\"next\", <https://evil.example/y?page=1>; rel=\"first\"";
    headers.insert(LINK, HeaderValue::from_static(link));
    let found = next(&headers, &url).unwrap();
    assert_eq!(found.as_str(), "https://gitlab.example.com/api/v4/projects/1/jobs?cursor=a");
}

#[test]
fn only_the_next_link_counts() {
    assert_eq!(next_link("<a?p=1>; rel=\"prev\", <a?p=3>; rel=\"next\""), Some("a?p=3"));
    assert_eq!(next_link("<a?p=1>; rel=\"first\", <a?p=9>; rel=\"last\""), None);
}

#[test]
fn segments_are_escaped() {
    assert_eq!(escaped("a/b c"), "a%2Fb%20c");
}
