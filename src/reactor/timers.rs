//! Deadlines: many of them, cheap to push back.
//!
//! A binary heap of small nodes beside a table of entries. What happens most to a deadline is that it is pushed back (an
//! idle timeout, on every read) or cancelled, so neither touches the heap: the entry says what holds, and a node that no
//! longer agrees with its entry is put right, or dropped, when it comes to the top.

use super::slots::Slots;
use crate::poller::Token;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The name of a timer. Once the timer has fired or was cancelled, it names nothing, and never another timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(Token);

impl TimerId {
    /// Where the caller may keep what belongs to the timer: unique among the timers that are armed.
    pub(crate) fn index(self) -> usize {
        self.0.index() as usize
    }
}

/// What a repeating timer does about ticks that were missed, because the loop was busy or the machine asleep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Missed {
    /// Leaves them out and stays on the beat: the next tick is the next multiple of the period.
    #[default]
    Skip,
    /// Makes up for each, one per turn.
    Burst,
    /// Starts the period anew at the late tick, and so gives up the beat.
    Delay,
}

/// Whom a deadline concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its owner, or the program.
    User,
    /// The loop: its owner may have been idle for too long.
    Idle,
    /// The loop: its owner has been connecting, or closing, for too long.
    Patience,
    /// The loop: try to accept again.
    Accept,
}

/// What to arm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    pub(super) at: u64,
    pub(super) owner: Token,
    pub(super) purpose: Purpose,
    /// Nanoseconds between two ticks, or zero for a timer that fires once.
    pub(super) period: u64,
    pub(super) missed: Missed,
}

impl Deadline {
    pub(super) fn once(at: u64, owner: Token, purpose: Purpose) -> Self {
        Self { at, owner, purpose, period: 0, missed: Missed::Skip }
    }
}

/// A timer whose time has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) id: TimerId,
    pub(super) owner: Token,
    pub(super) purpose: Purpose,
    /// Whether it goes on.
    pub(super) repeats: bool,
}

#[derive(Debug)]
struct Entry {
    deadline: Deadline,
    /// The order among equal deadlines: that in which they were set.
    order: u64,
    /// The node that stands for this entry in the heap; others are left-overs.
    node: (u64, u64),
}

#[derive(Debug)]
pub(super) struct Timers {
    entries: Slots<Entry>,
    /// Deadline, order, index of the entry. Never later than what the entry says.
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    next_order: u64,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self { entries: Slots::new(), heap: BinaryHeap::new(), next_order: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Starts a timer.
    pub(super) fn arm(&mut self, deadline: Deadline) -> TimerId {
        let order = self.take_order();
        let node = (deadline.at, order);
        let id = self.entries.insert(Entry { deadline, order, node });
        self.heap.push(Reverse((node.0, node.1, id.index())));
        TimerId(id)
    }

    /// Sets another deadline for a timer that is armed; false if it is not.
    pub(super) fn set(&mut self, id: TimerId, at: u64) -> bool {
        let order = self.take_order();
        let Some(entry) = self.entries.get_mut(id.0) else { return false };
        entry.deadline.at = at;
        entry.order = order;
        if at < entry.node.0 {
            entry.node = (at, order);
            self.heap.push(Reverse((at, order, id.0.index())));
            self.sweep();
        }
        true
    }

    /// Stops a timer; false if it is not armed.
    pub(super) fn cancel(&mut self, id: TimerId) -> bool {
        let cancelled = self.entries.remove(id.0).is_some();
        if cancelled {
            self.sweep();
        }
        cancelled
    }

    /// Whose timer it is, if it is armed.
    pub(super) fn owner(&self, id: TimerId) -> Option<Token> {
        self.entries.get(id.0).map(|entry| entry.deadline.owner)
    }

    /// When a timer is due, if it is armed.
    pub(super) fn deadline(&self, id: TimerId) -> Option<u64> {
        self.entries.get(id.0).map(|entry| entry.deadline.at)
    }

    /// The earliest deadline.
    pub(super) fn next(&mut self) -> Option<u64> {
        self.top().map(|(at, _, _)| at)
    }

    /// Whether no deadline can have come by `now`. Looks at one number, and may say no where [`next`](Self::next) says
    /// otherwise, because the earliest one was pushed back.
    #[inline]
    pub(super) fn are_quiet(&self, now: u64) -> bool {
        self.heap.peek().is_none_or(|Reverse((at, _, _))| *at > now)
    }

    /// How far the order has come: timers set from now on are not due before others that were set earlier.
    pub(super) fn mark(&self) -> u64 {
        self.next_order
    }

    /// The next timer that is due at `now` and was set before `mark`, so that timers which set each other without delay
    /// do not go on for ever.
    pub(super) fn pop_due(&mut self, now: u64, mark: u64) -> Option<Due> {
        let (at, order, index) = self.top()?;
        if at > now || order >= mark {
            return None;
        }
        self.heap.pop();
        let next_order = self.take_order();
        let (token, entry) = self.entries.at(index)?;
        let Deadline { owner, purpose, period, missed, .. } = entry.deadline;
        let due = Due { id: TimerId(token), owner, purpose, repeats: period != 0 };
        if due.repeats {
            let next = match missed {
                Missed::Burst => at.saturating_add(period),
                Missed::Delay => now.saturating_add(period),
                Missed::Skip => at.saturating_add(period.saturating_mul((now - at) / period + 1)),
            };
            let entry = self.entries.at_mut(index)?;
            entry.deadline.at = next;
            entry.order = next_order;
            entry.node = (next, next_order);
            self.heap.push(Reverse((next, next_order, index)));
        } else {
            self.entries.remove(token);
        }
        Some(due)
    }

    fn take_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order - 1
    }

    /// The node at the top once left-overs are dropped and deadlines that were pushed back have sunk.
    fn top(&mut self) -> Option<(u64, u64, u32)> {
        loop {
            let Reverse((at, order, index)) = *self.heap.peek()?;
            let entry = self.entries.at_mut(index).filter(|entry| entry.node == (at, order));
            let Some(entry) = entry else {
                self.heap.pop();
                continue;
            };
            if entry.deadline.at == at && entry.order == order {
                return Some((at, order, index));
            }
            entry.node = (entry.deadline.at, entry.order);
            let node = (entry.node.0, entry.node.1, index);
            self.heap.pop();
            self.heap.push(Reverse(node));
        }
    }

    /// Throws the left-overs out when they are the greater part: timers set far ahead and cancelled would otherwise pile
    /// up until their time.
    fn sweep(&mut self) {
        if self.heap.len() > 64 && self.heap.len() / 2 > self.entries.len() {
            let entries = &self.entries;
            self.heap.retain(|Reverse((at, order, index))| {
                entries.at(*index).is_some_and(|(_, entry)| entry.node == (*at, *order))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn once(at: u64) -> Deadline {
        Deadline::once(at, Token::NONE, Purpose::User)
    }

    fn every(period: u64, missed: Missed) -> Deadline {
        Deadline { period, missed, ..once(period) }
    }

    fn due(timers: &mut Timers, now: u64) -> Vec<TimerId> {
        let mark = timers.mark();
        std::iter::from_fn(|| timers.pop_due(now, mark)).map(|due| due.id).collect()
    }

    #[test]
    fn equal_deadlines_fire_in_the_order_in_which_they_were_set() {
        let mut timers = Timers::new();
        let first = timers.arm(once(5));
        let second = timers.arm(once(5));
        let third = timers.arm(once(5));
        assert!(timers.set(first, 5));
        assert_eq!(due(&mut timers, 5), [second, third, first]);
    }

    #[test]
    fn a_name_that_has_fired_or_was_cancelled_never_reaches_another_timer() {
        let mut timers = Timers::new();
        let fired = timers.arm(once(1));
        assert_eq!(due(&mut timers, 1), [fired]);
        let cancelled = timers.arm(once(2));
        assert!(timers.cancel(cancelled));
        let alive = timers.arm(once(3));
        for gone in [fired, cancelled] {
            assert!(!timers.cancel(gone) && !timers.set(gone, 9));
            assert_eq!(timers.deadline(gone), None);
        }
        assert_eq!(due(&mut timers, 3), [alive]);
    }

    #[test]
    fn timers_set_without_delay_by_those_that_fire_wait_for_the_next_turn() {
        let mut timers = Timers::new();
        timers.arm(once(7));
        let mark = timers.mark();
        assert!(timers.pop_due(7, mark).is_some());
        timers.arm(once(7));
        assert!(timers.pop_due(7, mark).is_none());
        assert_eq!(due(&mut timers, 7).len(), 1);
    }

    #[test]
    fn a_repeating_timer_keeps_the_beat_as_it_is_told_to() {
        let beats = |missed| {
            let mut timers = Timers::new();
            timers.arm(every(100, missed));
            // On time, 30 late, then asleep for more than three periods.
            let mut log = Vec::new();
            for now in [100, 230, 555, 555, 600, 655, 700] {
                log.push((due(&mut timers, now).len(), timers.next().unwrap()));
            }
            log
        };
        assert_eq!(beats(Missed::Skip), [(1, 200), (1, 300), (1, 600), (0, 600), (1, 700), (0, 700), (1, 800)]);
        assert_eq!(beats(Missed::Burst), [(1, 200), (1, 300), (1, 400), (1, 500), (1, 600), (1, 700), (1, 800)]);
        assert_eq!(beats(Missed::Delay), [(1, 200), (1, 330), (1, 655), (0, 655), (0, 655), (1, 755), (0, 755)]);
    }

    #[test]
    fn what_is_cancelled_or_moved_forward_leaves_no_heap_behind() {
        let mut timers = Timers::new();
        for at in 0..10_000 {
            let id = timers.arm(once(1_000_000 + at));
            assert!(timers.cancel(id));
        }
        let kept = timers.arm(once(1_000_000));
        for at in (0..10_000).rev() {
            assert!(timers.set(kept, at));
        }
        assert!(timers.heap.len() < 200, "{} nodes for one timer", timers.heap.len());
        assert_eq!(timers.next(), Some(0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arm(u64),
        Set(usize, u64),
        Cancel(usize),
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..50_u64).prop_map(Step::Arm),
            (any::<usize>(), 0..50_u64).prop_map(|(pick, after)| Step::Set(pick, after)),
            any::<usize>().prop_map(Step::Cancel),
            (0..20_u64).prop_map(Step::Advance),
        ]
    }

    proptest! {
        #[test]
        fn timers_fire_as_a_sorted_list_would(steps in prop::collection::vec(step(), 0..300)) {
            let mut timers = Timers::new();
            let mut model: BTreeMap<TimerId, (u64, usize)> = BTreeMap::new();
            let mut now = 0;
            for (count, step) in steps.into_iter().enumerate() {
                let pick = |pick: usize| model.keys().nth(pick % model.len().max(1)).copied();
                match step {
                    Step::Arm(after) => {
                        let id = timers.arm(once(now + after));
                        model.insert(id, (now + after, count));
                    }
                    Step::Set(which, after) => if let Some(id) = pick(which) {
                        prop_assert!(timers.set(id, now + after));
                        model.insert(id, (now + after, count));
                    }
                    Step::Cancel(which) => if let Some(id) = pick(which) {
                        prop_assert!(timers.cancel(id));
                        model.remove(&id);
                    }
                    Step::Advance(by) => {
                        now += by;
                        let mut expected: Vec<_> = model.iter().filter(|(_, (at, _))| *at <= now).collect();
                        expected.sort_by_key(|(_, when)| **when);
                        let expected: Vec<_> = expected.into_iter().map(|(id, _)| *id).collect();
                        prop_assert_eq!(due(&mut timers, now), expected.clone());
                        for id in expected { model.remove(&id); }
                    }
                }
                prop_assert_eq!(timers.next(), model.values().map(|(at, _)| *at).min());
                prop_assert_eq!(timers.len(), model.len());
            }
        }
    }
}
