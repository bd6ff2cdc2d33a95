//! A table whose keys are never mistaken: a place and which inhabitant of it.

use crate::poller::Token;
use slab::Slab;

/// Values by token. A token of a value that was removed finds nothing, also when its place has been taken by another.
///
/// After 2³² inhabitants of one place a generation comes again; a token would have to be kept all that time.
#[derive(Debug)]
pub(super) struct Slots<T> {
    inhabited: Slab<Inhabitant<T>>,
    /// By place: the generation of the next inhabitant.
    generations: Vec<u32>,
}

#[derive(Debug)]
struct Inhabitant<T> {
    generation: u32,
    value: T,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self { inhabited: Slab::new(), generations: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.inhabited.len()
    }

    /// Moves a value in and names it.
    pub(super) fn insert(&mut self, value: T) -> Token {
        let place = self.inhabited.vacant_key();
        if place == self.generations.len() {
            self.generations.push(0);
        }
        let generation = self.generations[place];
        self.inhabited.insert(Inhabitant { generation, value });
        Token::new(place as u32, generation)
    }

    #[inline]
    pub(super) fn get(&self, token: Token) -> Option<&T> {
        let inhabitant = self.inhabited.get(token.index() as usize)?;
        (inhabitant.generation == token.generation()).then_some(&inhabitant.value)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let inhabitant = self.inhabited.get_mut(token.index() as usize)?;
        (inhabitant.generation == token.generation()).then_some(&mut inhabitant.value)
    }

    /// The value at a place, whoever lives there.
    pub(super) fn at(&self, index: u32) -> Option<(Token, &T)> {
        let inhabitant = self.inhabited.get(index as usize)?;
        Some((Token::new(index, inhabitant.generation), &inhabitant.value))
    }

    /// The same, to be changed.
    pub(super) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.inhabited.get_mut(index as usize).map(|inhabitant| &mut inhabitant.value)
    }

    pub(super) fn remove(&mut self, token: Token) -> Option<T> {
        self.get(token)?;
        let place = token.index() as usize;
        let inhabitant = self.inhabited.remove(place);
        let next = inhabitant.generation.wrapping_add(1);
        // The last generation of the last place would be `Token::NONE`.
        self.generations[place] = if next == u32::MAX { 0 } else { next };
        Some(inhabitant.value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Token, &T)> {
        self.inhabited
            .iter()
            .map(|(place, inhabitant)| (Token::new(place as u32, inhabitant.generation), &inhabitant.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_token_finds_its_own_value_or_nothing(steps in prop::collection::vec((any::<bool>(), 0..64_usize), 0..300)) {
            let mut slots = Slots::new();
            let mut alive = BTreeMap::new();
            let mut dead = Vec::new();
            for (step, (insert, pick)) in steps.into_iter().enumerate() {
                if insert {
                    let token = slots.insert(step);
                    prop_assert!(token != Token::NONE && alive.insert(token, step).is_none());
                } else if let Some(token) = alive.keys().nth(pick).copied() {
                    prop_assert_eq!(slots.remove(token), alive.remove(&token));
                    dead.push(token);
                }
                prop_assert_eq!(slots.len(), alive.len());
                for (token, value) in &alive {
                    prop_assert_eq!(slots.get(*token), Some(value));
                }
                for token in &dead {
                    prop_assert_eq!(slots.get(*token), None);
                    prop_assert_eq!(slots.remove(*token), None);
                }
            }
        }
    }

    #[test]
    fn the_generation_of_the_null_token_is_left_out() {
        let mut slots = Slots::new();
        let first = slots.insert(());
        slots.remove(first);
        slots.generations[0] = u32::MAX - 1;
        let last = slots.insert(());
        assert_eq!(last.generation(), u32::MAX - 1);
        slots.remove(last);
        assert_eq!(slots.insert(()).generation(), 0);
    }
}
