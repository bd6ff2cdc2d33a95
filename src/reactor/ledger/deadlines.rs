//! Things that happen because time has passed.

use super::super::clock::nanoseconds;
use super::super::occurrence::Occurrence;
use super::super::reason::{Gone, Reason};
use super::super::slot::Flags;
use super::super::timers::{Deadline, Due, Missed, Purpose, TimerId};
use super::Ledger;
use crate::poller::Token;
use std::time::{Duration, Instant};

impl Ledger {
    /// Sets a timer that fires once, after some time. It belongs to a source and ends with it.
    ///
    /// It fires in the first turn whose wait ends at or after its time; with a delay of zero in this turn if it is set
    /// while events are handled, and in the next if it is set while timers are.
    ///
    /// # Errors
    ///
    /// [`Gone`], if its owner is.
    pub fn set_timer(&mut self, owner: Token, after: Duration) -> Result<TimerId, Gone> {
        self.own(owner, Deadline::once(self.after(after), owner, Purpose::User))
    }

    /// The same, at a point in time; one that has passed is now.
    ///
    /// # Errors
    ///
    /// [`Gone`], if its owner is.
    pub fn set_timer_at(&mut self, owner: Token, at: Instant) -> Result<TimerId, Gone> {
        let at = self.clock.time(at).max(self.now);
        self.own(owner, Deadline::once(at, owner, Purpose::User))
    }

    /// Sets a timer that fires again and again, on the beat: the times are multiples of `period` from now, however late
    /// single ticks are handled. A period of zero is taken for a nanosecond.
    ///
    /// # Errors
    ///
    /// [`Gone`], if its owner is.
    pub fn set_interval(&mut self, owner: Token, period: Duration, missed: Missed) -> Result<TimerId, Gone> {
        let period = nanoseconds(period).max(1);
        let at = self.clock.now().saturating_add(period);
        self.own(owner, Deadline { at, owner, purpose: Purpose::User, period, missed })
    }

    /// Sets a timer that fires once and belongs to nobody: its occurrence comes with [`Token::NONE`].
    pub fn set_loop_timer(&mut self, after: Duration) -> TimerId {
        self.timers.arm(Deadline::once(self.after(after), Token::NONE, Purpose::User))
    }

    /// The same, at a point in time; one that has passed is now.
    pub(crate) fn set_loop_timer_at(&mut self, at: Instant) -> TimerId {
        let at = self.clock.time(at).max(self.now);
        self.timers.arm(Deadline::once(at, Token::NONE, Purpose::User))
    }

    /// Sets a timer that fires again and again and belongs to nobody.
    pub fn set_loop_interval(&mut self, period: Duration, missed: Missed) -> TimerId {
        let period = nanoseconds(period).max(1);
        let at = self.clock.now().saturating_add(period);
        self.timers.arm(Deadline { at, owner: Token::NONE, purpose: Purpose::User, period, missed })
    }

    fn own(&mut self, owner: Token, deadline: Deadline) -> Result<TimerId, Gone> {
        self.open(owner)?;
        let timer = self.timers.arm(deadline);
        self.open(owner)?.extra().timers.push(timer);
        Ok(timer)
    }

    /// Gives a timer that is set another time, from now; false if it has fired or was cancelled.
    pub fn reset_timer(&mut self, timer: TimerId, after: Duration) -> bool {
        self.timers.set(timer, self.after(after))
    }

    /// Takes a timer back; false if it has fired or was cancelled. It will not fire, even if it is due in this turn.
    pub fn cancel_timer(&mut self, timer: TimerId) -> bool {
        if let Some(owner) = self.timers.owner(timer) {
            self.disown(owner, timer);
        }
        self.timers.cancel(timer)
    }

    /// How long until a timer fires, if it is set: zero if it is due.
    #[must_use]
    pub fn timer_left(&self, timer: TimerId) -> Option<Duration> {
        let at = self.timers.deadline(timer)?;
        Some(Duration::from_nanos(at.saturating_sub(self.clock.now())))
    }

    fn disown(&mut self, owner: Token, timer: TimerId) {
        if let Some(extra) = self.slots.get_mut(owner).and_then(|slot| slot.extra.as_mut()) {
            extra.timers.retain(|other| *other != timer);
        }
    }

    /// Ends a connection when nothing was read or written for this long; `None` for never.
    ///
    /// Traffic costs nothing here: it is noted, and looked at when the time is up.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn set_idle_timeout(&mut self, token: Token, idle: Option<Duration>) -> Result<(), Gone> {
        let slot = self.open(token)?;
        slot.idle = idle.map_or(0, |idle| nanoseconds(idle).max(1));
        let due = slot.active_at.saturating_add(slot.idle);
        let (idle, timer) = (slot.idle, slot.idle_timer.take());
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
        if idle != 0 {
            let timer = self.timers.arm(Deadline::once(due, token, Purpose::Idle));
            self.open(token)?.idle_timer = Some(timer);
        }
        Ok(())
    }

    /// Arms the deadline for connecting or closing.
    pub(in crate::reactor) fn patience(&mut self, token: Token, timeout: Duration) -> TimerId {
        self.timers.arm(Deadline::once(self.after(timeout), token, Purpose::Patience))
    }

    /// What has no delay belongs to this turn. All else counts from the present: the turn may have been long already, and
    /// from outside of one the last may be long ago.
    pub(in crate::reactor) fn after(&self, delay: Duration) -> u64 {
        if delay.is_zero() { self.now } else { self.clock.now().saturating_add(nanoseconds(delay)) }
    }

    /// The next timer of the program that is due. Those of the loop itself are dealt with on the way.
    pub(in crate::reactor) fn next_expired(&mut self, mark: u64) -> Option<Occurrence> {
        while let Some(due) = self.timers.pop_due(self.now, mark) {
            match due.purpose {
                Purpose::User => {
                    if due.owner != Token::NONE {
                        if !self.is_open(due.owner) {
                            continue;
                        }
                        if !due.repeats {
                            self.disown(due.owner, due.id);
                        }
                        self.current = due.owner;
                    }
                    self.stats.timers += 1;
                    return Some(Occurrence::Expired(due.owner, due.id));
                }
                Purpose::Idle => self.check_idle(due),
                Purpose::Patience => self.lose_patience(due),
                Purpose::Accept => self.retry_accept(),
            }
        }
        None
    }

    fn check_idle(&mut self, due: Due) {
        let now = self.now;
        let Ok(slot) = self.open(due.owner) else { return };
        let until = slot.active_at.saturating_add(slot.idle);
        if until <= now {
            self.doom(due.owner, Reason::Idle);
            return;
        }
        let timer = self.timers.arm(Deadline::once(until, due.owner, Purpose::Idle));
        if let Ok(slot) = self.open(due.owner) {
            slot.idle_timer = Some(timer);
        }
    }

    fn lose_patience(&mut self, due: Due) {
        let Ok(slot) = self.open(due.owner) else { return };
        slot.patience = None;
        let reason = if slot.flags.any(Flags::CONNECTING) { Reason::ConnectTimeout } else { Reason::CloseTimeout };
        self.doom(due.owner, reason);
    }
}
