//! What is wrong is told, where it is wrong: properties 2 and 6.

use fly_std::Type;
use flyc::text::{TextRange, TextSize};
use proptest::{prelude::*, sample::select};

use crate::{
    cases, errors,
    generate::{Attr, Config, config},
    mutate::{Mistake, wrong_kinds},
    told,
};

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn property_2_type_errors(mut config in config(), at in any::<prop::sample::Index>(), kind in any::<usize>()) {
        let all: usize = config.root.walk().iter().map(|node| node.attributes.len()).sum();
        prop_assume!(all > 0);
        let at = at.index(all);
        let (name, ty) = {
            let attribute = nth_attribute(&mut config, at);
            prop_assume!(attribute.schema.ty != Type::Any);
            let wrong = wrong_kinds(attribute.schema.ty);
            attribute.written.source = wrong[kind % wrong.len()].to_owned();
            (attribute.name.clone(), attribute.schema.ty)
        };
        let printed = config.print();
        let found = errors(&config.nest(&printed.text));
        let told = told(&found);
        prop_assert_eq!(found.len(), 1, "{}\nin\n{}", told, printed.text);
        prop_assert_eq!(found[0].span.range, range(&printed.values[at]), "{}\nin\n{}", told, printed.text);
        prop_assert!(found[0].message.contains(&format!("`{name}`")), "{told}");
        prop_assert!(found[0].message.contains(&ty.noun()), "{told}: {}", ty.noun());
    }

    #[test]
    fn property_2_type_errors_in_elements(mut config in config(), at in any::<prop::sample::Index>(), kind in any::<usize>()) {
        let lists: Vec<usize> = config
            .root
            .walk()
            .iter()
            .flat_map(|node| &node.attributes)
            .enumerate()
            .filter(|(_, a)| matches!(a.schema.ty, Type::List(_)))
            .map(|(at, _)| at)
            .collect();
        prop_assume!(!lists.is_empty());
        let at = lists[at.index(lists.len())];
        let (item, wrong) = {
            let attribute = nth_attribute(&mut config, at);
            let Type::List(item) = attribute.schema.ty else { panic!("a list") };
            let wrong = wrong_kinds(*item)[kind % wrong_kinds(*item).len()];
            attribute.written.source = format!("[{wrong}]");
            (*item, wrong)
        };
        let printed = config.print();
        let found = errors(&config.nest(&printed.text));
        let told = told(&found);
        prop_assert_eq!(found.len(), 1, "{}\nin\n{}", told, printed.text);
        prop_assert_eq!(&printed.text[found[0].span.range], wrong, "{}", told);
        prop_assert!(range(&printed.values[at]).contains_range(found[0].span.range), "{}", told);
        prop_assert!(found[0].message.contains(&item.noun()), "{told}");
    }

    #[test]
    fn property_6_mistakes_are_rejected(mut config in config(), how in select(&Mistake::ALL[..]), at in any::<prop::sample::Index>()) {
        let Some(text) = how.make(&mut config, at) else { return Err(TestCaseError::reject("nothing to break")) };
        let found = errors(&config.nest(&text));
        prop_assert!(!found.is_empty(), "{how:?} is accepted:\n{text}");
    }
}

fn range(of: &std::ops::Range<usize>) -> TextRange {
    TextRange::new(TextSize::try_from(of.start).unwrap(), TextSize::try_from(of.end).unwrap())
}

fn nth_attribute(config: &mut Config, at: usize) -> &mut Attr {
    let mut left = at;
    for index in 0..config.root.walk().len() {
        let count = config.root.walk()[index].attributes.len();
        if left < count {
            return &mut config.root.at(index).unwrap().attributes[left];
        }
        left -= count;
    }
    panic!("there are fewer attributes")
}
