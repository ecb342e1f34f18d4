"""Chinese words for the sample pages, which are no part of the product's own catalogue."""

from __future__ import annotations

CHINESE = {
    "Search customers, deals, notes or run a command": "搜索客户、商机、备注,或输入命令",
    "Up to date · 10:42": "已是最新 · 10:42",
    "Lock": "锁定",
    "New": "新建",
    "Today": "今日",
    "Customers": "客户",
    "Contacts": "联系人",
    "Deals": "商机",
    "Tasks": "任务",
    "Activities": "活动",
    "Consents": "同意书",
    "Settings": "设置",
    "Edit": "编辑",
    "Log visit": "记录拜访",
    "Key facts": "基本信息",
    "Phone": "电话",
    "E-mail": "电子邮箱",
    "Address": "地址",
    "Source": "来源",
    "Show": "显示",
    "Open deals": "进行中的商机",
    "Overview": "概览",
    "No customers yet": "还没有客户",
    "Add your first customer, or bring them in from a file.": "添加第一个客户,或从文件导入。",
    "New customer": "新建客户",
    "Import": "导入",
    "waiting": "待发送",
    "conflict": "冲突",
}
