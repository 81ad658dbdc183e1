# SPDX-License-Identifier: BSD-2-Clause
## make docs      write docs/hypercalls.md, docs/command-line.md and the like from the tables of the source

.PHONY: docs
docs:
	@$(PYTHON) tools/gen_docs.py

# The numbers of docs/spec.md.
$(eval $(call host_test,spec_sizes,tests/unit/spec_sizes.c,))
