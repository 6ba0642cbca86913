"""Numbers and lists that people decide by: values in, values out. It knows the canonical records and how they are
reckoned.

span: the days that are looked at · month_end, goods_and_money: ordered, shipped, invoiced and received side by side ·
mismatches: what may not agree, and what a person does about it · statement, statement_paper: customer statements ·
sheets: workbooks · articles: which may help · complaints: what is complained of.
"""
