// SPDX-License-Identifier: BSD-2-Clause
//! The order of the columns: that of the text, then each moved where links become shorter, until none can be.

use std::collections::BTreeSet;

use crate::picture::Picture;

/// Passes over all columns at the most: beyond them the gain is small.
const PASSES: usize = 8;

/// The columns, left to right, as indices into [`Picture::actors`].
pub(crate) fn columns(picture: &Picture) -> Vec<usize> {
    let count = picture.actors.len();
    let links: Vec<Vec<usize>> =
        picture.links.iter().map(|link| link.ends.iter().map(|end| end.actor).collect()).collect();
    // Devices and virtual machines come last in the picture; they start beside whom they are linked with first.
    let mut order: Vec<usize> = Vec::with_capacity(count);
    for actor in 0..count {
        let neighbour = links
            .iter()
            .filter(|link| link.contains(&actor))
            .flatten()
            .find(|&&other| other < actor && picture.actors[actor].kind != picture.actors[other].kind);
        let after = neighbour.and_then(|other| order.iter().position(|placed| placed == other));
        match after {
            Some(position) => order.insert(position + 1, actor),
            None => order.push(actor),
        }
    }

    let mut best = length(&links, &order);
    for _ in 0..PASSES {
        let before = best;
        for actor in 0..count {
            // Nowhere is better than beside somebody whom it is linked with.
            let linked: BTreeSet<_> = links
                .iter()
                .filter(|link| link.contains(&actor))
                .flatten()
                .filter(|other| **other != actor)
                .collect();
            for other in linked {
                for after in [0, 1] {
                    let mut tried: Vec<_> = order.iter().copied().filter(|placed| *placed != actor).collect();
                    let Some(beside) = tried.iter().position(|placed| placed == other) else { continue };
                    tried.insert(beside + after, actor);
                    let tried_length = length(&links, &tried);
                    if tried_length < best {
                        (order, best) = (tried, tried_length);
                    }
                }
            }
        }
        if best == before {
            break;
        }
    }
    order
}

/// How many columns the links reach over, in all.
fn length(links: &[Vec<usize>], order: &[usize]) -> usize {
    let mut position = vec![0; order.len()];
    for (place, actor) in order.iter().enumerate() {
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
    fn a_chain_becomes_straight() {
        let order = columns(&picture(&[ActorKind::Domain; 4], &[(0, 3), (3, 1), (1, 2)]));
        let links = [vec![0, 3], vec![3, 1], vec![1, 2]];
        assert_eq!(length(&links, &order), 3, "{order:?}");
    }
}
