//! Unit tests of what the templates are filled with; the modules themselves are tried in `tests/mothergoose`.

use super::*;

#[test]
fn images_of_amazons_registry_stay_where_they_are() {
    for (image, copied) in [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1", None),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app", None),
        ("cr.yandex/team/app:1.2", Some(("cr.yandex/team/app", "team/app", ":1.2"))),
        ("team/app", Some(("docker.io/team/app", "team/app", ":latest"))),
        ("localhost:5000/app", Some(("localhost:5000/app", "app", ":latest"))),
    ] {
        let copied = copied.map(|(source, path, tag)| (source.to_owned(), path.to_owned(), tag.to_owned()));
        assert_eq!(foreign(image), copied, "{image}");
    }
}

#[test]
fn runtimes_are_called_as_aws_calls_them() {
    for (written, called) in [
        ("python312", "python3.12"),
        ("python3.12", "python3.12"),
        ("nodejs22", "nodejs22.x"),
        ("nodejs22.x", "nodejs22.x"),
        ("provided.al2023", "provided.al2023"),
    ] {
        assert_eq!(runtime(written), called);
    }
}

#[test]
fn zones_have_places_that_do_not_depend_on_the_others() {
    for (zone, place) in
        [("eu-central-1a", Some(0)), ("us-east-1f", Some(5)), ("eu-central-1", None), ("", None)]
    {
        assert_eq!(zone_number(zone), place, "{zone}");
    }
}

#[test]
fn a_name_becomes_a_tag_and_a_part_of_a_path() {
    assert_eq!(tag("my nest: ü ${x}"), "my nest: _ __x_");
    assert_eq!(log_name("my nest/ü"), "my_nest__");
}
