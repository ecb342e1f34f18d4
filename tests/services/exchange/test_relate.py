"""References between files and to the book: by title, number, id, and at last without spaces and signs."""

from __future__ import annotations

from pathlib import Path

from app.services.exchange.relate import How, Index, in_order
from app.services.exchange.report import Level
from sync.protocol.ids import id_text, new_record_id
from sync.protocol.kinds import KINDS
from tests.remembered import holders
from tests.services.exchange.conftest import Made, bring
from tests.services.exchange.twin import TwinBook

CUSTOMER, CONTACT, DEAL = (KINDS[name] for name in ("customer", "contact", "deal"))


def test_the_nearest_reading_wins() -> None:
    index = Index()
    pro, other, plain = (bytes(new_record_id()) for _ in range(3))
    index.add(pro, "GTX Pro", None)
    index.add(other, "G-T-X Plus", "77")
    index.add(plain, "77", None)
    assert index.find("GTX Pro") == (pro, How.EXACT)
    assert index.find("gtx  pro") == (pro, How.EXACT)
    assert index.find("GTXPro") == (pro, How.FOLDED)
    assert index.find("77") == (plain, How.EXACT)
    assert index.find(id_text(other)) == (other, How.EXACT)
    assert index.find("GTX") == (None, How.NONE)
    index.add(bytes(new_record_id()), "GT XPro", None)
    assert index.find("G.T.X.Pro") == (None, How.SEVERAL)


def test_no_function_keeps_in_mind_what_records_are_called() -> None:
    index = Index()
    index.add(bytes(new_record_id()), "Quaggavere Trading", None)
    assert index.find("quaggavere  trading")[1] is How.EXACT
    assert holders("uaggavere") == []


def test_targets_come_before_what_points_to_them() -> None:
    names = [kind.name for kind in in_order(KINDS.values())]
    for kind in KINDS.values():
        for field in kind.fields:
            target = getattr(field.type, "to", kind.name)
            assert target == kind.name or names.index(target) < names.index(kind.name)


def test_links_by_number_title_and_script(made: Made, book: TwinBook) -> None:
    bring(book, made("客户.csv", "客户名称,客户编号\n华夏科技,K-1\nAlder Foods,K-2\n"))
    bring(book, made("联系人.csv", "姓名,客户,手机\n王芳,Ｋ-2,1\n李伟,华夏科技,2\nAda,alder foods,3\n"))
    links = {values["name"]: values.get("customer") for values in book.of(CONTACT)}
    ids = {values["name"]: id_ for id_, values in book.records(CUSTOMER)}
    assert links["李伟"] == ids["华夏科技"]
    assert links["Ada"] == ids["Alder Foods"]
    assert links["王芳"] is None  # a full-width number is no number of ours: said, not guessed


def test_a_missing_target_is_told_and_the_row_comes_in(made: Made, book: TwinBook) -> None:
    report = bring(book, made("contacts.csv", "name,account,email\nAda,Nowhere,a@x.test\nBen,,b@x.test\n"))
    assert len(book.of(CONTACT)) == 2
    (problem,) = report.problems
    assert (problem.row, problem.column, problem.value, problem.kept) == (2, "account", "Nowhere", False)


def test_two_targets_of_one_name_are_not_chosen_between(made: Made, book: TwinBook) -> None:
    bring(book, made("customers.csv", "name,customer number,city\nAlder,1,Ulm\nAlder,2,Bonn\n"))
    report = bring(book, made("contacts.csv", "name,account\nAda,Alder\nBen,2\n"))
    (problem,) = report.problems
    assert "More than one" in problem.problem
    bonn = next(id_ for id_, values in book.records(CUSTOMER) if values["number"] == "2")
    assert [values.get("customer") for values in book.of(CONTACT)] == [None, bonn]


def test_parents_are_added_before_their_parts(made: Made, book: TwinBook) -> None:
    text = "name,parent company\nLeaf,Branch\nBranch,Root\nRoot,\nRing A,Ring B\nRing B,Ring A\nSelf,Self\n"
    report = bring(book, made("customers.csv", text))
    order = [values["name"] for values in book.of(CUSTOMER)]
    assert order.index("Root") < order.index("Branch") < order.index("Leaf")
    assert [(f.row, f.level) for f in report.problems] == [(6, Level.PROBLEM), (7, Level.PROBLEM)]
    assert above(book, "Ring A") == "Ring B"
    assert above(book, "Ring B") is None
    assert above(book, "Self") is None


def above(book: TwinBook, name: str) -> str | None:
    names = {id_: values["name"] for id_, values in book.records(CUSTOMER)}
    parent = book.one(CUSTOMER, name).get("parent")
    return names[parent] if parent is not None else None


def test_a_row_that_would_close_a_circle_with_the_book_comes_in_without_the_link(
    made: Made, book: TwinBook
) -> None:
    head = "name,parent company,city\n"
    bring(book, made("first.csv", head + "Top,,\nMiddle,Top,\nLow,Middle,\n"), kind=CUSTOMER)
    text = head + "Top,Between,Ulm\nBetween,Low,Bonn\nMiddle,Low,Kiel\nBeside,Top,Trier\n"
    report = bring(book, made("second.csv", text), kind=CUSTOMER)
    # The first row's link stands when the second is looked at; Middle has a parent, which stays.
    (problem,) = report.problems
    assert (problem.row, problem.column, problem.value) == (3, "parent company", "Low")
    assert "part of itself by way of others" in problem.problem
    found = {name: above(book, name) for name in ("Top", "Middle", "Low", "Between", "Beside")}
    assert found == {"Top": "Between", "Middle": "Top", "Low": "Middle", "Between": None, "Beside": "Top"}
    assert book.one(CUSTOMER, "Between")["address"] == {"city": "Bonn"}


def test_an_agent_who_is_nobodys_account_stays_as_text(made: Made, book: TwinBook) -> None:
    report = bring(book, made("deals.csv", "deal name,sales agent,amount\nSpring,Moses Frase,5\n"))
    assert book.one(DEAL, "Spring")["owner"] == "Moses Frase"
    assert not report.problems
    (note,) = (f for file in report.files for f in file.findings if f.column == "sales agent")
    assert note.level is Level.NOTE
    assert note.problem.startswith("1 name is no e-mail address: kept as text.")
    known = bring(book, made("more.csv", "deal name,owner,amount\nMay,ada@x.test,5\n"))
    assert not [f for file in known.files for f in file.findings if f.column == "owner"]


def test_a_report_without_a_file_that_was_read_says_so(made: Made, book: TwinBook, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, before in ((tmp_path / "empty", 0), (made("numbers.csv", "foo,bar\n1,2\n"), 1)):
        lines = bring(book, path).text().splitlines()
        assert (len(lines), lines[-1]) == (before + 1, "Nothing to import was found.")
