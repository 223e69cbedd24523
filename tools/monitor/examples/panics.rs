// SPDX-License-Identifier: BSD-2-Clause
//! Takes the terminal and panics: the terminal is given back, and what was wrong can be read.

fn main() -> std::io::Result<()> {
    system_monitor::with_terminal(|terminal, _| {
        terminal.draw(|frame| frame.render_widget("about to panic", frame.area()))?;
        panic!("as the example does")
    })
}
