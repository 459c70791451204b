(** * A discounted score is minus the discounted change of predicted imbalances

    Sizes and margins are whole numbers, discounts and weights real: BR-H's discounts lie in (0, 1],
    the identities hold for all.

    Claim: [balanceroute.brh-reduces]. *)

From Coq Require Import Reals Lra ZArith List Lia.
From evenkeel Require Import Loads Scores.
Import ListNotations.
Open Scope R_scope.

Definition total (xs : list R) : R := fold_right Rplus 0 xs.

(** [alpha (sum_h d_h) S - beta sum_h d_h (S - m_h)^+] over a window of [(d_h, m_h)]. *)
Definition brh_score (alpha beta : R) (S : Z) (window : list (R * Z)) : R :=
  alpha * total (map fst window) * IZR S
  - beta * total (map (fun step => fst step * IZR (Z.max 0 (S - snd step))) window).

(** [balanceroute.brh-reduces]: with weights (1, G) BR-H's score is the discounted sum of BR-0's
    scores: for [H = 0] BR-0's score, and for a window of predicted loads minus the discounted
    change of their imbalances. *)
Theorem balanceroute_brh_reduces :
  (forall G S window,
     brh_score 1 (IZR G) S window
     = total (map (fun step => fst step * IZR (score G S (snd step))) window)) /\
  (forall G S m, brh_score 1 (IZR G) S [(1, m)] = IZR (score G S m)) /\
  (forall G g S predicted, (g < G)%nat -> (0 <= S)%Z ->
     Forall (fun step => length (snd step) = G) predicted ->
     brh_score 1 (INR G) S (map (fun step => (fst step, margin g (snd step))) predicted)
     = - total (map (fun step =>
           fst step * IZR (imbalance (add S g (snd step)) - imbalance (snd step))) predicted)).
Proof.
  assert (X : forall G S window, brh_score 1 (IZR G) S window
    = total (map (fun step => fst step * IZR (score G S (snd step))) window)).
  { intros G S window. unfold brh_score, score. induction window as [|[d m] w IH].
    - simpl. lra.
    - unfold total in *. cbn [map fold_right fst snd] in *. rewrite <- IH.
      rewrite minus_IZR, mult_IZR. ring. }
  split; [exact X|]. split.
  - intros. rewrite X. unfold total. cbn [map fold_right fst snd]. ring.
  - intros G g S predicted H N F. rewrite INR_IZR_INZ, X, map_map. cbn [fst snd].
    induction F as [|[d loads] rest L F IH]; [simpl; lra|]. simpl in L. unfold total in *.
    cbn [map fold_right fst snd]. rewrite IH. rewrite <- L in H |- *.
    rewrite (balanceroute_score_identity loads g S H N), opp_IZR. ring.
Qed.
