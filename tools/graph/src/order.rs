// SPDX-License-Identifier: BSD-2-Clause
//! The order of the columns: that of the text, with devices and virtual machines beside the domain whose they are;
//! then each domain is moved, with what is its, where links become shorter, until none can be.

use std::collections::BTreeSet;

use crate::picture::{ActorKind, Picture};

/// Passes over all columns at the most: beyond them the gain is small.
const PASSES: usize = 8;

/// The columns, left to right, as indices into [`Picture::actors`].
pub(crate) fn columns(picture: &Picture) -> Vec<usize> {
    let links: Vec<Vec<usize>> =
        picture.links.iter().map(|link| link.ends.iter().map(|end| end.actor).collect()).collect();
    let (mut groups, group_of) = groups(picture, &links);
    let mut best = length(&links, &groups);
    for _ in 0..PASSES {
        let before = best;
        for first in 0..picture.actors.len() {
            let Some(from) = groups.iter().position(|group| group[0] == first) else { continue };
            // Nowhere is better than beside somebody whom it is linked with.
            let touching = links.iter().filter(|link| link.iter().any(|actor| group_of[*actor] == first));
            let linked: BTreeSet<usize> = touching.flatten().map(|actor| group_of[*actor]).collect();
            let mut rest = groups.clone();
            let moved = rest.remove(from);
            for other in linked.into_iter().filter(|other| *other != first) {
                let Some(beside) = rest.iter().position(|group| group[0] == other) else { continue };
                for place in [beside, beside + 1] {
                    let mut tried = rest.clone();
                    tried.insert(place, moved.clone());
                    let tried_length = length(&links, &tried);
                    if tried_length < best {
                        (groups, best) = (tried, tried_length);
                    }
                }
            }
        }
        if best == before {
            break;
        }
    }
    groups.into_iter().flatten().collect()
}

/// The actors that stay together, in the order of the text, each group led by a domain where it has one; and for
/// each actor the leader of its group.
fn groups(picture: &Picture, links: &[Vec<usize>]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let is_domain = |actor: usize| picture.actors[actor].kind == ActorKind::Domain;
    let leader = |actor: usize| {
        let others = links.iter().filter(|link| link.contains(&actor)).flatten();
        if is_domain(actor) {
            actor
        } else {
            others.copied().find(|other| is_domain(*other)).unwrap_or(actor)
        }
    };
    let group_of: Vec<usize> = (0..picture.actors.len()).map(leader).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for leads in (0..group_of.len()).filter(|actor| group_of[*actor] == *actor) {
        let followers = (0..group_of.len()).filter(|actor| group_of[*actor] == leads && *actor != leads);
        groups.push(std::iter::once(leads).chain(followers).collect());
    }
    (groups, group_of)
}

/// How many columns the links reach over, in all.
fn length(links: &[Vec<usize>], groups: &[Vec<usize>]) -> usize {
    let mut position = vec![0; groups.iter().map(Vec::len).sum()];
    for (place, actor) in groups.iter().flatten().enumerate() {
        position[*actor] = place;
    }
    let span = |link: &Vec<usize>| {
        let places = link.iter().map(|actor| position[*actor]);
        places.clone().max().unwrap_or(0) - places.min().unwrap_or(0)
    };
    links.iter().map(span).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Actor, ActorKind, By, End, Link, LinkKind};

    fn picture(kinds: &[ActorKind], links: &[(usize, usize)]) -> Picture {
        let actor = |kind: &ActorKind| Actor { kind: *kind, name: String::new(), facts: vec![] };
        let end = |actor| End { actor, mark: String::new(), by: By::Cpu };
        let link = |(a, b): &(usize, usize)| Link {
            kind: LinkKind::Memory,
            label: String::new(),
            size: String::new(),
            detail: String::new(),
            ends: vec![end(*a), end(*b)],
        };
        Picture {
            actors: kinds.iter().map(actor).collect(),
            links: links.iter().map(link).collect(),
            ..Picture::default()
        }
    }

    #[test]
    fn without_links_the_order_is_that_of_the_text() {
        assert_eq!(columns(&picture(&[ActorKind::Domain; 4], &[])), [0, 1, 2, 3]);
    }

    #[test]
    fn a_device_stands_beside_its_domain() {
        use ActorKind::{Device, Domain};
        assert_eq!(columns(&picture(&[Domain, Domain, Device, Device], &[(2, 0), (3, 1)])), [0, 2, 1, 3]);
    }

    #[test]
    fn a_domain_takes_its_device_along() {
        use ActorKind::{Device, Domain};
        let links = [(4, 0), (0, 3), (0, 3), (0, 3), (1, 2)];
        assert_eq!(columns(&picture(&[Domain, Domain, Domain, Domain, Device], &links)), [1, 2, 3, 0, 4]);
    }

    #[test]
    fn a_chain_becomes_straight() {
        let order = columns(&picture(&[ActorKind::Domain; 4], &[(0, 3), (3, 1), (1, 2)]));
        let links = [vec![0, 3], vec![3, 1], vec![1, 2]];
        assert_eq!(length(&links, std::slice::from_ref(&order)), 3, "{order:?}");
    }
}
