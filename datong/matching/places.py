"""Places that company names carry, in Chinese and in Latin letters: provinces, the larger cities, countries.

华为技术（上海）有限公司 and 华为技术（北京）有限公司 are two parties however alike they look, and 上海华为 and
华为(Shanghai) may be one. A place missing here costs only that insight; the name is still compared letter by letter.
"""

from __future__ import annotations

_CHINESE = """
北京 beijing 上海 shanghai 天津 tianjin 重庆 chongqing 河北 hebei 山西 shanxi 辽宁 liaoning 吉林 jilin
黑龙江 heilongjiang 江苏 jiangsu 浙江 zhejiang 安徽 anhui 福建 fujian 江西 jiangxi 山东 shandong 河南 henan 湖北 hubei
湖南 hunan 广东 guangdong 海南 hainan 四川 sichuan 贵州 guizhou 云南 yunnan 陕西 shaanxi 甘肃 gansu 青海 qinghai
内蒙古 neimenggu 广西 guangxi 西藏 xizang 宁夏 ningxia 新疆 xinjiang 台湾 taiwan 香港 hongkong 澳门 macau
石家庄 shijiazhuang 唐山 tangshan 保定 baoding 太原 taiyuan 沈阳 shenyang 大连 dalian 长春 changchun 哈尔滨 haerbin
南京 nanjing 苏州 suzhou 无锡 wuxi 常州 changzhou 南通 nantong 徐州 xuzhou 扬州 yangzhou 昆山 kunshan 江阴 jiangyin
张家港 zhangjiagang 杭州 hangzhou 宁波 ningbo 温州 wenzhou 嘉兴 jiaxing 绍兴 shaoxing 金华 jinhua 义乌 yiwu
台州 taizhou 湖州 huzhou 合肥 hefei 芜湖 wuhu 福州 fuzhou 厦门 xiamen 泉州 quanzhou 南昌 nanchang 济南 jinan
青岛 qingdao 烟台 yantai 潍坊 weifang 威海 weihai 淄博 zibo 郑州 zhengzhou 洛阳 luoyang 武汉 wuhan 宜昌 yichang
长沙 changsha 株洲 zhuzhou 广州 guangzhou 深圳 shenzhen 珠海 zhuhai 佛山 foshan 东莞 dongguan 中山 zhongshan
惠州 huizhou 汕头 shantou 江门 jiangmen 南宁 nanning 桂林 guilin 柳州 liuzhou 海口 haikou 三亚 sanya 成都 chengdu
绵阳 mianyang 贵阳 guiyang 昆明 kunming 西安 xian 兰州 lanzhou 西宁 xining 银川 yinchuan 乌鲁木齐 wulumuqi
呼和浩特 huhehaote 包头 baotou 拉萨 lasa 中国 china 日本 japan 韩国 korea 新加坡 singapore 德国 germany 法国 france
英国 uk 美国 usa 意大利 italy 西班牙 spain 荷兰 netherlands 印度 india 亚洲 asia 亚太 asiapacific 欧洲 europe
"""

_LATIN = """
hong_kong hongkong hk hongkong macao macau great_china china prc china nippon japan deutschland germany italia italy
espana spain nederland netherlands holland netherlands united_kingdom uk great_britain uk united_states usa us usa
xi_an xian harbin haerbin canton guangzhou peking beijing inner_mongolia neimenggu tibet xizang urumqi wulumuqi
asia_pacific asiapacific apac asiapacific emea emea europa europe belgium belgium austria austria
switzerland switzerland schweiz switzerland poland poland polska poland vietnam vietnam thailand thailand
malaysia malaysia indonesia indonesia brazil brazil brasil brazil mexico mexico canada canada australia australia
"""


def _pairs(text: str) -> dict[str, str]:
    items = text.split()
    return {name.replace("_", " "): place for name, place in zip(items[::2], items[1::2], strict=True)}


HAN_PLACES: dict[str, str] = _pairs(_CHINESE)
"""Chinese name -> one spelling for both scripts."""

LATIN_PLACES: dict[str, str] = {**{place: place for place in HAN_PLACES.values()}, **_pairs(_LATIN)}
"""Words in Latin letters (one or two) -> the same spelling."""

del LATIN_PLACES["us"]  # "US Steel" and "us" are words before they are places
