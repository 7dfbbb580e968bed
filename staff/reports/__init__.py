"""What was sold: the owners' and the office's reports, and the figures behind them.

The order dashboard is `staff.dashboard`; the sums kept are `models.sales`.
"""
