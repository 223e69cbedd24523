// SPDX-License-Identifier: BSD-2-Clause
//! The warden: the service's parent, which restarts it when a director asks.

use guest_kit::script::signal;
use sel4_microkit::{Channel, MessageInfo, set_mr};

/// The director's channel to the warden.
const WARDEN: Channel = Channel::new(20);

/// Ask the warden to restart the service when so many microseconds have gone by; 0: now.
pub const RESTART: u64 = 1;
/// Ask the warden for a notification.
pub const ANSWER: u64 = 2;

/// Has the service restarted at once.
pub fn restart() {
    restart_in(0);
}

/// Has the service restarted a little later, whatever it is doing then; [`restarted`] waits for that.
pub fn restart_in(us: u64) {
    set_mr(0, us);
    WARDEN.pp_call(MessageInfo::new(RESTART, 1));
}

/// Waits for a notification of the warden's: whatever was signalled before has arrived then.
pub async fn answer() {
    WARDEN.pp_call(MessageInfo::new(ANSWER, 0));
    signal(WARDEN).await;
}

/// Waits until the service was restarted by [`restart_in`].
pub async fn restarted() {
    signal(WARDEN).await;
}
