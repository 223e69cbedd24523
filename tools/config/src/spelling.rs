// SPDX-License-Identifier: BSD-2-Clause
//! What was probably meant by a name that is not known.

/// How alike two names are at the least for one to be taken for the other, misspelt (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// The name of `known` that was probably meant by `wanted`.
pub fn nearest<'n>(wanted: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.map(|name| (strsim::jaro_winkler(wanted, name), name));
    let (_, name) = scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(name)
}

/// The remedy for a name that is none of `known`: what was probably meant, or what there is.
pub fn suggest<'n>(wanted: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    match nearest(wanted, known.clone()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("there is: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let known = ["vtd_tables", "registry", "events_a", "events_b"];
        let nearest = |wanted| nearest(wanted, known.into_iter());
        assert_eq!(nearest("vtd_table"), Some("vtd_tables"));
        assert_eq!(nearest("regsitry"), Some("registry"));
        assert_eq!(nearest("event_b"), Some("events_b"));
        assert_eq!(nearest("pasids"), None);
        assert_eq!(nearest(""), None);
    }

    #[test]
    fn what_there_is_is_listed_where_nothing_is_alike() {
        assert_eq!(suggest("x", ["a", "b"].into_iter()), "there is: a, b");
        assert_eq!(suggest("bufer", ["buffer"].into_iter()), "did you mean \"buffer\"?");
    }
}
