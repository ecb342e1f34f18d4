"""The words of headings and choices in either Chinese script: tables hold the simplified form, files may bring both.

Only characters that stand in those words; a name is never turned into the other script.
"""

from __future__ import annotations

from typing import Final

# Traditional, then simplified.
_PAIRS: Final = (
    "萬万 與与 專专 業业 丟丢 個个 義义 鄉乡 於于 產产 億亿 價价 優优 夥伙 會会 傳传 內内 冊册 準准 憑凭 創创 別别 辦办 務务 "
    "動动 區区 協协 單单 廠厂 曆历 歷历 縣县 號号 啟启 啓启 員员 週周 團团 國国 備备 頭头 審审 對对 層层 屬属 崗岗 幣币 應应 "
    "開开 歸归 當当 錄录 態态 總总 戶户 執执 擾扰 報报 據据 數数 無无 時时 機机 幾几 權权 來来 構构 標标 歐欧 溝沟 註注 潛潜 "
    "狀状 電电 碼码 確确 稱称 稅税 筆笔 簽签 籤签 簡简 類类 係系 緊紧 約约 級级 納纳 線线 細细 經经 結结 給给 絡络 絕绝 統统 "
    "編编 網网 職职 聯联 勝胜 獲获 營营 銜衔 補补 規规 觸触 計计 訂订 認认 議议 訊讯 記记 訪访 證证 識识 話话 詳详 語语 說说 "
    "請请 調调 談谈 負负 責责 敗败 貨货 販贩 資资 贏赢 輸输 過过 進进 遞递 郵邮 釋释 鐘钟 銷销 鎮镇 鎊镑 長长 門门 間间 階阶 "
    "頁页 項项 順顺 預预 題题 額额 驗验 臺台"
)
_SIMPLIFIED: Final = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})


def simplified(word: str) -> str:
    """A word of a heading or a choice in simplified characters."""
    return word if word.isascii() else word.translate(_SIMPLIFIED)
