# SPDX-License-Identifier: BSD-2-Clause
# Thin: everything is in `cargo xtask` (see `cargo xtask --help`). Each target first installs what is missing.

.PHONY: run test bench clean

run:
	cargo xtask run $(ARGS)

test:
	cargo xtask test $(ARGS)

bench:
	cargo xtask bench $(ARGS)

clean:
	cargo clean
