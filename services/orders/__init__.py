"""From "the site needs it" to "it is paid and booked". Steps, in the order of the process:

projects          who needs it, and where it is delivered
purchase_orders   what is bought, from whom, at which frozen price, and what became of each line
case_files        what operator staff may see of it, why, until when, and every look they took

A later step may import an earlier one, never the reverse.
"""
