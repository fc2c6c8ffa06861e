//! The regions and availability zones of the clouds, and what some regions of AWS lack.
//!
//! Clouds add regions, so a name that is not listed here is not yet wrong: [`Location::Unlisted`] says that it has the
//! form of one. What never lives here: sizes of machines.

/// A cloud that has regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Yandex Cloud.
    Yandex,
    /// Amazon Web Services.
    Aws,
}

/// What a name is to a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A region.
    Region,
    /// An availability zone.
    Zone,
    /// Neither as far as is known here, but named as one would be.
    Unlisted,
}

/// Yandex Cloud's regions with the letters of their zones: "Availability zones" of its documentation, 2026-01. The
/// zone `ru-central1-c` was closed in 2024.
const YANDEX: &[(&str, &[&str])] = &[("ru-central1", &["a", "b", "d", "e"]), ("kz1", &["a"])];

/// AWS's regions: "AWS Regions" of its documentation, 2026-01. Which letters the zones of a region have is the
/// account's, so the zones are not listed.
const AWS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// What regions of AWS lack of the EC2 families that runners are made of: a whole family, or single types of it. After
/// AWS's public price list, as cfn-lint's table of instance types by region had it on 2026-08-19. A region that is not
/// named here has all of them, or is not in that list: nothing is guessed of it.
const AWS_LACKS: &[(&str, &[&str])] = &[
    ("af-south-1", &["r7i"]),
    ("ap-east-1", &["r7i", "x2iedn"]),
    ("ap-east-2", LARGE_6I_AND_X2IEDN),
    ("ap-southeast-3", &["c6i", "r6i"]),
    ("ap-southeast-4", &["c6i", "m6i", "r6i", "x2iedn"]),
    ("ap-southeast-6", LARGE_6I_AND_X2IEDN),
    ("ca-west-1", &["m7i", "r7i", "x2iedn"]),
    ("cn-north-1", &["c7i", "m7i", "r7i"]),
    ("cn-northwest-1", &["c7i", "m7i", "r7i"]),
    ("eu-central-2", &["c6i", "r7i"]),
    ("eu-south-2", &["c6i", "m6i", "r6i"]),
    ("il-central-1", &["r7i", "x2iedn"]),
    ("me-central-1", &["c6i", "r7i", "x2iedn"]),
    ("me-south-1", &["c7i", "m7i", "r7i", "x2iedn"]),
    ("mx-central-1", &["x2iedn"]),
];

/// What two of them lack.
const LARGE_6I_AND_X2IEDN: &[&str] = &[
    "c6i.24xlarge",
    "c6i.32xlarge",
    "m6i.24xlarge",
    "m6i.32xlarge",
    "r6i.24xlarge",
    "r6i.32xlarge",
    "x2iedn",
];

/// Which of the EC2 families and types that runners are made of a region does not have, as far as is known.
pub fn lacking(region: &str) -> &'static [&'static str] {
    AWS_LACKS.iter().find(|(name, _)| *name == region).map_or(&[], |(_, lacking)| lacking)
}

/// The directions AWS names regions by.
const DIRECTIONS: [&str; 9] =
    ["central", "north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest"];

impl Cloud {
    /// Every cloud that has regions.
    pub const ALL: [Self; 2] = [Self::Yandex, Self::Aws];

    /// The name a `provider` attribute gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yandex => "yandex",
            Self::Aws => "aws",
        }
    }

    /// What a name is to this cloud; none when it has neither a region nor a zone named like it.
    pub fn location(self, name: &str) -> Option<Location> {
        match self {
            Self::Yandex => {
                for (region, zones) in YANDEX {
                    match name.strip_prefix(region) {
                        Some("") => return Some(Location::Region),
                        Some(letter)
                            if letter.strip_prefix('-').is_some_and(|letter| zones.contains(&letter)) =>
                        {
                            return Some(Location::Zone);
                        }
                        _ => {}
                    }
                }
                let region = name
                    .strip_suffix(|c: char| c.is_ascii_lowercase())
                    .and_then(|rest| rest.strip_suffix('-'));
                is_yandex_region(region.unwrap_or(name)).then_some(Location::Unlisted)
            }
            Self::Aws => {
                let zone = name.strip_suffix(|c: char| c.is_ascii_lowercase());
                let region = zone.filter(|region| region.ends_with(|c: char| c.is_ascii_digit()));
                if AWS.contains(&region.unwrap_or(name)) {
                    return Some(if region.is_some() { Location::Zone } else { Location::Region });
                }
                is_aws_region(region.unwrap_or(name)).then_some(Location::Unlisted)
            }
        }
    }

    /// The region that a zone of this cloud lies in; a region lies in itself.
    pub fn region_of(self, name: &str) -> &str {
        let Some(rest) = name.strip_suffix(|c: char| c.is_ascii_lowercase()) else { return name };
        let region = match self {
            Self::Yandex => rest.strip_suffix('-'),
            Self::Aws => Some(rest),
        };
        region.filter(|region| region.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(name)
    }

    /// Every region that is listed here.
    pub fn regions(self) -> impl Iterator<Item = &'static str> {
        let (yandex, aws) = match self {
            Self::Yandex => (YANDEX, &[][..]),
            Self::Aws => (&[][..], AWS),
        };
        yandex.iter().map(|(region, _)| *region).chain(aws.iter().copied())
    }

    /// Every zone that is listed here.
    pub fn zones(self) -> impl Iterator<Item = String> {
        let zones = match self {
            Self::Yandex => YANDEX,
            Self::Aws => &[],
        };
        zones
            .iter()
            .flat_map(|(region, letters)| letters.iter().map(move |letter| format!("{region}-{letter}")))
    }
}

/// `xx-words1` or `xx1`: a country, perhaps a part of it, and a number.
fn is_yandex_region(name: &str) -> bool {
    let place = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let parts: Vec<&str> = place.split('-').collect();
    place.len() < name.len()
        && parts.len() <= 2
        && parts[0].len() == 2
        && parts.iter().all(|part| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// `xx-direction-1`, with a word such as `gov` or `iso` in between.
fn is_aws_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let lower =
        |part: &str| (2..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [area, between @ .., direction, number] => {
            lower(area)
                && between.len() <= 1
                && between.iter().all(|part| lower(part))
                && DIRECTIONS.contains(direction)
                && number.len() == 1
                && number.bytes().all(|byte| (b'1'..=b'9').contains(&byte))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_cloud() {
        for (cloud, name, location) in [
            (Cloud::Yandex, "ru-central1", Some(Location::Region)),
            (Cloud::Yandex, "ru-central1-a", Some(Location::Zone)),
            (Cloud::Yandex, "ru-central1-c", Some(Location::Unlisted)),
            (Cloud::Yandex, "kz1-a", Some(Location::Zone)),
            (Cloud::Yandex, "uz1", Some(Location::Unlisted)),
            (Cloud::Yandex, "ru-central", None),
            (Cloud::Yandex, "ru-central1a", None),
            (Cloud::Yandex, "eu-central-1", None),
            (Cloud::Yandex, "us-east-1b", None),
            (Cloud::Aws, "eu-central-1", Some(Location::Region)),
            (Cloud::Aws, "eu-central-1b", Some(Location::Zone)),
            (Cloud::Aws, "eu-central-7", Some(Location::Unlisted)),
            (Cloud::Aws, "eu-central-7a", Some(Location::Unlisted)),
            (Cloud::Aws, "us-iso-east-1", Some(Location::Unlisted)),
            (Cloud::Aws, "eu-centrl-1", None),
            (Cloud::Aws, "eu-central", None),
            (Cloud::Aws, "eu-central1", None),
            (Cloud::Aws, "ru-central1-a", None),
            (Cloud::Aws, "", None),
        ] {
            assert_eq!(cloud.location(name), location, "{name} of {}", cloud.name());
        }
        assert_eq!(Cloud::Aws.region_of("eu-central-1b"), "eu-central-1");
        assert_eq!(Cloud::Yandex.region_of("kz1-a"), "kz1");
        assert_eq!(Cloud::Yandex.region_of("ru-central1"), "ru-central1");
    }

    #[test]
    fn what_regions_lack_is_told_of_listed_regions() {
        assert_eq!(lacking("eu-central-1"), [""; 0]);
        assert!(lacking("eu-south-2").contains(&"m6i"));
        for (region, lacking) in AWS_LACKS {
            assert!(AWS.contains(region) && !lacking.is_empty(), "{region}");
        }
    }

    #[test]
    fn what_is_listed_is_of_one_cloud() {
        for cloud in Cloud::ALL {
            for name in cloud.regions().map(str::to_owned).chain(cloud.zones()) {
                let of: Vec<_> =
                    Cloud::ALL.into_iter().filter(|cloud| cloud.location(&name).is_some()).collect();
                assert_eq!(of, [cloud], "{name}");
            }
            for region in cloud.regions() {
                let formed =
                    if cloud == Cloud::Aws { is_aws_region(region) } else { is_yandex_region(region) };
                assert!(formed, "{region}");
            }
        }
    }
}
