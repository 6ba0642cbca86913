"""Reference data as each side keeps it: the same things under other codes. NET45 of the CRM has no counterpart."""

from datong.sandbox.fields import Row

CRM_REFERENCE: dict[str, list[Row]] = {
    "users": [
        {"name": "Integration", "email": "integration@trading.example", "title": "System"},
        {"name": "李娜", "email": "li.na@trading.example", "title": "销售经理"},
        {"name": "王强", "email": "wang.qiang@trading.example", "title": "销售"},
        {"name": "Sophie Martin", "email": "sophie.martin@trading.example", "title": "Account Manager"},
        {"name": "Jürgen Weiß", "email": "juergen.weiss@trading.example", "title": "Account Manager"},
        {"name": "前员工", "email": "left@trading.example", "title": "销售", "active": False},
    ],
    "payment_terms": [
        {"code": "PREPAID", "name": "预付", "name_en": "Prepaid", "days": 0},
        {"code": "NET15", "name": "15天", "name_en": "15 days net", "days": 15},
        {"code": "NET30", "name": "30天", "name_en": "30 days net", "days": 30},
        {"code": "NET45", "name": "45天", "name_en": "45 days net", "days": 45},
        {"code": "NET60", "name": "60天", "name_en": "60 days net", "days": 60},
    ],
    "tax_codes": [
        {"code": "VAT13", "name": "增值税 13%", "name_en": "VAT 13 %", "rate": "0.13"},
        {"code": "VAT6", "name": "增值税 6%", "name_en": "VAT 6 %", "rate": "0.06"},
        {"code": "VAT20", "name": "法国增值税 20%", "name_en": "TVA 20 %", "rate": "0.2"},
        {"code": "ZERO", "name": "零税率", "name_en": "Zero rate", "rate": "0"},
        {"code": "EXEMPT", "name": "免税", "name_en": "Exempt", "rate": "0"},
        {"code": "VAT9", "name": "增值税 9%", "name_en": "VAT 9 %", "rate": "0.09"},
        {"code": "VAT3", "name": "增值税 3%", "name_en": "VAT 3 %", "rate": "0.03"},
        {"code": "VAT1", "name": "增值税 1%", "name_en": "VAT 1 %", "rate": "0.01"},
    ],
    "units": [
        {"code": "pcs", "name": "个", "name_en": "Piece"},
        {"code": "box", "name": "箱", "name_en": "Box"},
        {"code": "kg", "name": "千克", "name_en": "Kilogram"},
        {"code": "m", "name": "米", "name_en": "Metre"},
    ],
    "regions": [
        {"code": "east", "name": "华东", "name_en": "East China"},
        {"code": "north", "name": "华北", "name_en": "North China"},
        {"code": "south", "name": "华南", "name_en": "South China"},
        {"code": "west", "name": "西部", "name_en": "West China"},
        {"code": "emea", "name": "欧洲", "name_en": "Europe"},
        {"code": "row", "name": "其他", "name_en": "Rest of world"},
    ],
    "currencies": [
        {"code": "CNY", "name": "人民币", "name_en": "Renminbi"},
        {"code": "EUR", "name": "欧元", "name_en": "Euro"},
        {"code": "USD", "name": "美元", "name_en": "US dollar"},
    ],
    "payment_methods": [
        {"code": "transfer", "name": "电汇", "name_en": "Bank transfer"},
        {"code": "acceptance", "name": "银行承兑汇票", "name_en": "Bank acceptance bill"},
        {"code": "cheque", "name": "支票", "name_en": "Cheque"},
    ],
    "warehouses": [
        {"code": "shanghai", "name": "上海主仓", "name_en": "Shanghai"},
        {"code": "returns", "name": "上海退货仓", "name_en": "Shanghai returns"},
        {"code": "lyon", "name": "里昂仓", "name_en": "Lyon"},
    ],
}

ERP_REFERENCE: dict[str, list[Row]] = {
    "currencies": [
        {"code": "CNY", "name": "人民币", "nameEn": "Yuan", "decimals": 2},
        {"code": "EUR", "name": "欧元", "nameEn": "Euro", "decimals": 2},
        {"code": "USD", "name": "美元", "nameEn": "US Dollar", "decimals": 2},
    ],
    "companies": [
        {
            "code": "asia",
            "name": "亚洲公司",
            "nameEn": "Asia",
            "currency": "CNY",
            "timeZone": "Asia/Shanghai",
            "legalName": "上海打通贸易有限公司",
            "taxNo": "91310115MA1K4ABC18",
        },
        {
            "code": "europe",
            "name": "欧洲公司",
            "nameEn": "Europe",
            "currency": "EUR",
            "timeZone": "Europe/Paris",
            "legalName": "Datong Europe SAS",
            "taxNo": "FR40303265045",
        },
    ],
    "employees": [
        {"empNo": "E01", "fullName": "李 娜", "mail": "li.na@trading.example", "department": "销售部"},
        {"empNo": "E02", "fullName": "王 强", "mail": "wang.qiang@trading.example", "department": "销售部"},
        {"empNo": "E03", "fullName": "MARTIN Sophie", "mail": "Sophie.Martin@trading.example", "department": "Ventes"},
        {
            "empNo": "E04",
            "fullName": "WEISS Juergen",
            "mail": "juergen.weiss@trading.example",
            "department": "Vertrieb",
        },
        {"empNo": "E05", "fullName": "仓库管理员", "mail": "", "department": "仓库"},
    ],
    "warehouses": [
        {"code": "SH1", "name": "上海主仓", "nameEn": "Shanghai main", "companyCode": "asia"},
        {"code": "SH2", "name": "上海退货仓", "nameEn": "Shanghai returns", "companyCode": "asia"},
        {"code": "LY1", "name": "里昂仓", "nameEn": "Lyon", "companyCode": "europe"},
    ],
    "units": [
        {"code": "PCE", "name": "个", "nameEn": "Piece"},
        {"code": "CTN", "name": "箱", "nameEn": "Carton"},
        {"code": "KGM", "name": "公斤", "nameEn": "Kilogram"},
        {"code": "MTR", "name": "米", "nameEn": "Metre"},
    ],
    "taxCodes": [
        {
            "code": "A13",
            "name": "销项税13%",
            "nameEn": "Output VAT 13",
            "rate": "0.13",
            "rates": [{"validFrom": "2018-05-01", "rate": "0.16"}, {"validFrom": "2019-04-01", "rate": "0.13"}],
        },
        {"code": "A06", "name": "销项税6%", "nameEn": "Output VAT 6", "rate": "0.06"},
        {"code": "A09", "name": "销项税9%", "nameEn": "Output VAT 9", "rate": "0.09"},
        {"code": "A03", "name": "征收率3%", "nameEn": "Levy 3", "rate": "0.03"},
        {"code": "A01", "name": "征收率1%", "nameEn": "Levy 1", "rate": "0.01"},
        {"code": "F20", "name": "TVA 20", "nameEn": "TVA 20", "rate": "0.20"},
        {"code": "Z00", "name": "零税率", "nameEn": "Zero rated", "rate": "0"},
        {"code": "X00", "name": "免税", "nameEn": "Exempt", "rate": "0", "exempt": True},
    ],
    "paymentTerms": [
        {"code": "T00", "name": "预付款", "nameEn": "Cash in advance", "days": 0},
        {"code": "T15", "name": "月结15天", "nameEn": "15 days", "days": 15},
        {"code": "T30", "name": "月结30天", "nameEn": "30 days", "days": 30},
        {"code": "T60", "name": "月结60天", "nameEn": "60 days", "days": 60},
    ],
    "paymentMethods": [
        {"code": "TT", "name": "电汇", "nameEn": "Bank transfer"},
        {"code": "BA", "name": "银行承兑汇票", "nameEn": "Bank acceptance"},
        {"code": "CH", "name": "支票", "nameEn": "Cheque"},
    ],
    "regions": [
        {"code": "HD", "name": "华东", "nameEn": "East"},
        {"code": "HB", "name": "华北", "nameEn": "North"},
        {"code": "HN", "name": "华南", "nameEn": "South"},
        {"code": "XB", "name": "西部", "nameEn": "West"},
        {"code": "EU", "name": "欧洲", "nameEn": "Europe"},
        {"code": "OT", "name": "其他", "nameEn": "Other"},
    ],
}

REGIONS = {
    "上海": ("east", "HD"),
    "江苏": ("east", "HD"),
    "浙江": ("east", "HD"),
    "北京": ("north", "HB"),
    "辽宁": ("north", "HB"),
    "广东": ("south", "HN"),
    "四川": ("west", "XB"),
    "湖北": ("west", "XB"),
}
EUROPE, ELSEWHERE = ("emea", "EU"), ("row", "OT")

# zh, en, unit (CRM code, ERP id), category, price in CNY
PRODUCTS = (
    ("六角螺栓 M8", "Hexagon bolt M8", ("pcs", 1), "紧固件", "0.8500"),
    ("不锈钢螺母 M8", "Stainless nut M8", ("pcs", 1), "紧固件", "0.4275"),
    ("深沟球轴承 6204", "Deep groove ball bearing 6204", ("pcs", 1), "轴承", "18.5"),
    ("液压软管", "Hydraulic hose", ("m", 4), "液压", "42.3333"),
    ("伺服电机 750W", "Servo motor 750 W", ("pcs", 1), "电机", "1680"),
    ("工业润滑脂", "Industrial grease", ("kg", 3), "化学品", "56.75"),
    ("密封圈套装", "O-ring set", ("box", 2), "密封件", "128"),
    ("温度传感器 PT100", "Temperature sensor PT100", ("pcs", 1), "传感器", "95.9"),
    ("气缸 SC50×100", "Pneumatic cylinder SC50×100", ("pcs", 1), "气动", "210"),
    ("铝型材 4040", "Aluminium profile 4040", ("m", 4), "型材", "38.6"),
)
